"""Write tearsheet.png, the head of the page of the sample run, as Chromium shows it (`apt-get install chromium`)."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.markets import open_market
from reverse_qe.pages.run import run_page

PICTURE = Path(__file__).parent / "tearsheet.png"
WIDTH, HEIGHT = 1240, 1180


def main() -> None:
    """Render the page and take its picture."""
    page = Path(tempfile.mkdtemp(prefix="reverse-qe-picture-")) / "page.html"
    page.write_text(run_page(run_backtest(load_spec("sample"), open_market("sample"))), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shown.goto(page.as_uri())
        shown.screenshot(path=PICTURE)
        browser.close()
    shutil.rmtree(page.parent)


if __name__ == "__main__":
    main()
