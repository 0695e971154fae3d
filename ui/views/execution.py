"""One execution on the Training page: its graph, steps, training job, input and output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import streamlit as st

from ui import console_links, graph_picture
from ui import deployment_words as say
from ui import execution_words as words
from ui.aws import AwsError
from ui.executions import Execution, Executions, Gate, with_data
from ui.state_graph import Graph, graph
from ui.steps import Step, Story
from ui.training_jobs import LOG_GROUP, Job, TrainingJobs, features_done
from ui.views.history import moment

NEWEST_LINES = 10


def show(
    executions: Executions,
    jobs: TrainingJobs,
    one: Execution,
    *,
    deploy_machine: str | None,
    on_aws: bool,
) -> None:
    """Draw it as it stands now; raises `AwsError` where its history cannot be read.

    `deploy_machine`: whose executions it may have started.
    """
    so_far = executions.story(one)
    drawn = graph(executions.definition(one.arn))
    _show_head(with_data(one, so_far.data), on_aws=on_aws)
    if one.is_running:
        _show_progress(drawn, so_far)
    _show_graph(drawn, so_far)
    _show_steps(so_far)
    if one.is_running and deploy_machine and not any(step.child for step in so_far.steps):
        _offer_child(executions.child(deploy_machine, one.arn))
    if so_far.training_job:
        _show_job(jobs, so_far.training_job, on_aws=on_aws)
    with st.expander("Input and output", icon=":material/data_object:"):
        st.markdown("**Input**")
        _show_text(_pretty(one.input))
        st.markdown("**Output**")
        if one.output is None:
            st.caption("None yet." if one.is_running else "None: it did not end well.")
        else:
            _show_text(_pretty(one.output))


def _show_text(text: str) -> None:
    """As it stands: `st.code` takes a browser long to load, and its colours are hard to read."""
    st.html(
        '<pre style="white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8rem; margin: 0">'
        f"{escape(text)}</pre>"
    )


def _show_head(one: Execution, *, on_aws: bool) -> None:
    title, icon = words.headline(one)
    st.header(f"{icon} {say.plain(title)}", anchor=False)
    if one.told:
        st.markdown(say.plain(one.told))
    took = say.duration(one.seconds(datetime.now(UTC)))
    facts = [
        f"began {moment(one.started_at)}",
        f"{'running for' if one.is_running else 'took'} {took}",
        f"started by {words.started_by(one)}",
    ]
    if one.reason:
        facts.append(f"reason: {one.reason}")
    if one.dataset_version:
        facts.append(f"data set {one.dataset_version}")
    if one.model_version:
        facts.append(f"model version {one.model_version}")
    st.caption(say.plain(" · ".join(facts)))
    if one.gate:
        _show_gate(one.gate)
    if on_aws and (link := console_links.execution(one.arn)):
        st.link_button("Open in Step Functions", link, icon=":material/open_in_new:")


def _show_gate(gate: Gate) -> None:
    st.markdown(f"**Quality gate.** {say.plain(words.verdict(gate))}")
    if gate.rules:
        with st.expander("Its rules, one by one", icon=":material/rule:"):
            for rule in gate.rules:
                st.markdown(words.rule_line(rule))


def _show_progress(drawn: Graph, so_far: Story) -> None:
    now = next((step.name for step in reversed(so_far.steps) if step.since), None)
    place = next((node.row for node in drawn.nodes if node.name == now), None)
    if place is None:
        st.progress(0.0, text="About to begin")
    else:
        st.progress(
            place / drawn.rows, text=say.plain(f"{now}: step {place + 1} of {drawn.rows} at most")
        )


def _show_graph(drawn: Graph, so_far: Story) -> None:
    dark = st.context.theme.type == "dark"
    palette = graph_picture.DARK if dark else graph_picture.LIGHT
    # Its room is kept from the start, so that nothing below jumps when the picture comes.
    with st.container(height=graph_picture.room(drawn), border=False):
        st.html(graph_picture.image(drawn, so_far, palette))


def _show_steps(so_far: Story) -> None:
    now = datetime.now(UTC)
    st.subheader("Steps", anchor=False)
    if not so_far.steps:
        st.caption("None has begun.")
    with st.container(gap=None):
        for step in so_far.steps:
            _show_step(step, now)


def _show_step(step: Step, now: datetime) -> None:
    st.markdown(words.step_line(step, now))
    if problem := words.trouble(step):
        st.caption(say.plain(problem))
    _offer_child(step.child)


def _offer_child(arn: str | None) -> None:
    if arn:
        st.button(
            "Open what it started",
            key=f"child-{arn}",
            type="tertiary",
            icon=":material/subdirectory_arrow_right:",
            on_click=choose,
            args=(arn,),
        )


def choose(arn: str) -> None:
    """Let the page's address name an execution, so that it can be left, found and sent."""
    *_, machine, name = arn.split(":")
    st.query_params["machine"] = machine.rpartition("-")[2]
    st.query_params["execution"] = name


def _show_job(jobs: TrainingJobs, name: str, *, on_aws: bool) -> None:
    st.subheader("Training job", anchor=False)
    try:
        job = jobs.one(name)
        lines = jobs.tail(name) if job else ()
    except AwsError as error:
        st.warning(str(error), icon=":material/cloud_off:")
        return
    if job is None:
        st.caption("It has not begun.")
        return
    _show_phases(job)
    if job.is_running and (share := features_done(lines)) is not None:
        st.progress(share, text=f"Features of the photos: {share:.0%}")
    if job.problem:
        st.error(say.plain(job.problem), icon=":material/error:")
    if job.metrics:
        with st.expander("Figures that it told", icon=":material/monitoring:"):
            values = [f"{value:g}" for value in job.metrics.values()]
            st.table({"figure": list(job.metrics), "value": values})
    _show_log(lines)
    if on_aws:
        for label, link in (
            ("Open in SageMaker", console_links.training_job(job.arn)),
            ("Open its log", console_links.training_log(job.arn, LOG_GROUP)),
        ):
            if link:
                st.link_button(label, link, icon=":material/open_in_new:")


def _show_log(lines: Sequence[str]) -> None:
    newest = "\n".join(lines[-NEWEST_LINES:])
    _show_text(newest or "It has said nothing yet.")
    if len(lines) > NEWEST_LINES:
        with st.expander(f"The last {len(lines)} lines", icon=":material/notes:"):
            _show_text("\n".join(lines))


def _show_phases(job: Job) -> None:
    now = datetime.now(UTC)
    parts = [
        f"{each.name} {say.duration(((each.ended_at or now) - each.started_at).total_seconds())}"
        for each in job.phases
    ]
    st.caption(say.plain(f"{job.name}: {job.status}. {' → '.join(parts)}"))


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
