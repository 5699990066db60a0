"""How long Match takes to answer somebody who types: from the last keystroke to the bar's change.

    make bench

The real page with its own model pack, in Chromium without a window. Captions are typed word by
word beside five photos, and both moments are noted by the page itself: the key as it comes in, and
the first change of the results after which they are of what stands in the box.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from side_by_side import Spread, report

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.samples import sample_photos  # noqa: E402  (the line above finds it)
from tests.fixtures.browser import chromium, open_page  # noqa: E402
from tests.fixtures.program import SERVE, served  # noqa: E402

CAPTIONS = (
    "a brown dog runs over wet sand beside the sea",
    "two children in red coats play on a snowy hill",
    "an old man sells fruit from a small wooden cart",
)
PHOTOS, TARGET = 5, 300
# Milliseconds between two keys of somebody who types fast.
BETWEEN_KEYS = 80
WATCH = """box => {
  const results = document.querySelector("#match-results");
  let key;
  document.addEventListener("input", () => { key = performance.now(); }, true);
  new MutationObserver(() => {
    const said = results.querySelector(".pl-pair p")?.textContent;
    if (!key || said !== document.querySelector(box).value.trim()) return;
    window.took = performance.now() - key;
    key = undefined;
  }).observe(results, { childList: true, subtree: true, characterData: true });
}"""


def main() -> None:
    captions = "#match-captions textarea"
    took: list[float] = []
    with (
        tempfile.TemporaryDirectory() as home,
        served(Path(home), SERVE) as program,
        chromium() as browser,
    ):
        page = open_page(browser, program)
        page.set_input_files("#match-upload input[type=file]", sample_photos()[:PHOTOS])
        page.wait_for_selector(f"#match-strip .pl-tile:nth-child({PHOTOS})")
        page.evaluate(WATCH, captions)
        # The first one fills caches and is not counted.
        for number, caption in enumerate(("a warm start", *CAPTIONS)):
            page.fill(captions, "")
            for word in caption.split():
                page.evaluate("window.took = null")
                page.type(captions, f"{word} ", delay=BETWEEN_KEYS)
                answer = page.wait_for_function("window.took").json_value()
                if number:
                    took.append(answer)
    answered = Spread.of(took)
    late = float(np.percentile(took, 95))
    report(
        "match",
        [
            f"answered {answered} ms after the last key, 95 % within {late:.0f};"
            f" target at most {TARGET}, {len(took)} words beside {PHOTOS} photos"
        ],
        {"milliseconds": answered, "milliseconds_95_percent": late},
    )


if __name__ == "__main__":
    main()
