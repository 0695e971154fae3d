"""What keeps people from using a page: axe-core's findings, and what the Tab key does not reach."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import Page

from tests.browser.chromium import ENVIRONMENT

_AXE: Final = ENVIRONMENT / "node_modules" / "axe-core" / "axe.min.js"
GRAVE: Final = frozenset({"serious", "critical"})
_MOST_STOPS: Final = 250

_STOPS: Final = """() => {
    const roles = ["button", "link", "slider", "checkbox", "switch", "combobox", "menuitem"];
    const able = ["a[href]", "button", "input", "select", "textarea", "summary",
        "[contenteditable]", "[tabindex='0']", ...roles.map((role) => `[role=${role}]`)];
    const inGroup = (one) => one.type === "radio"
        || ["radio", "tab", "option"].includes(one.getAttribute("role"));
    // The arrow beside a combobox opens the list as the arrow keys do inside it.
    const arrow = (one) => one.tabIndex < 0 && one.getAttribute("aria-haspopup") === "listbox"
        && one.parentElement.querySelector("[role='combobox']");
    const off = (one) => arrow(one) || one.disabled || one.getAttribute("aria-disabled") === "true"
        || one.closest("[inert], [aria-hidden='true'], [hidden]") || one.type === "file";
    window.stops = [...document.querySelectorAll(able.join(", "))].filter((one) =>
        !off(one) && !inGroup(one) && one.checkVisibility({visibilityProperty: true}));
    window.reached = new Set();
    return window.stops.length;
}"""
_REACHED: Final = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return false;
    const again = window.reached.has(one);
    window.reached.add(one);
    return !again;
}"""
_MISSED: Final = """() => window.stops
    .filter((one) => one.isConnected && !window.reached.has(one))
    .map((one) => one.getAttribute("aria-label") || one.innerText || one.outerHTML.slice(0, 200))"""


def grave_findings(page: Page) -> list[str]:
    """axe-core's findings that are serious or critical, one line each; none on a good page."""
    return [_line(one) for one in findings(page) if one["impact"] in GRAVE]


def findings(page: Page) -> list[dict[str, Any]]:
    """All of axe-core's findings, as it tells them."""
    if not page.evaluate("typeof axe === 'object'"):
        page.add_script_tag(path=_AXE)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return found


def _line(finding: dict[str, Any]) -> str:
    where = "; ".join(
        f"{node['html'][:160]} ({' '.join(node['failureSummary'].split())[:240]})"
        for node in finding["nodes"][:3]
    )
    return f"{finding['impact']}: {finding['help']}, {len(finding['nodes'])} times: {where}"


def missed_by_tab(page: Page) -> list[str]:
    """What can be used with a mouse, and is not reached by the Tab key from the page's start.

    Of a group of radio buttons or tabs one is reached, the arrow keys move inside.
    """
    page.evaluate("document.activeElement && document.activeElement.blur()")
    if not page.evaluate(_STOPS):
        return ["there is nothing on this page that can be used"]
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        if not page.evaluate(_REACHED):
            break
    missed: list[str] = page.evaluate(_MISSED)
    return missed
