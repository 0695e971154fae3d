"""One cold start: `python -m benchmarks.cold_start {floor|handler} PHOTO MODEL STARTED`.

`MODEL`: a TFLite file, for the floor; the handler finds its own. `STARTED`: the monotonic clock's
seconds when the interpreter was started. Prints a line of JSON: the seconds from then to the first
answer, and the processor's seconds of the whole process. What it imports is what it measures.
"""

import json
import sys
import time


def floor(photo: str, model: str) -> None:
    """The least: what a prediction is made with, a model from a file, one answer."""
    import boto3  # noqa: F401, PLC0415

    from benchmarks.floor import Floor  # noqa: PLC0415

    with open(photo, "rb") as data, open(model, "rb") as tflite:  # noqa: PTH123
        Floor(tflite.read()).predict(data.read())


def handler(photo: str, _model: str) -> None:
    """The function as it is deployed: its model out of the lake, its writes made."""
    from benchmarks.invocation import event, invoke  # noqa: PLC0415

    with open(photo, "rb") as data:  # noqa: PTH123
        invoke(event(data.read()))


if __name__ == "__main__":
    _, kind, photo, model, started = sys.argv
    {"floor": floor, "handler": handler}[kind](photo, model)
    seconds = time.monotonic() - float(started)
    told = {"seconds": seconds, "processor_seconds": time.process_time()}
    sys.stdout.write(f"\n{json.dumps(told)}\n")
