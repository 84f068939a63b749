"""Sphinx: the documentation site, which `make docs` builds. No page of it asks another server for anything."""

import re
from importlib.metadata import version
from pathlib import Path

from sphinx.application import Sphinx

project = "Reverse QE"
version = release = version("reverse-qe")
extensions = ["myst_parser"]
myst_heading_anchors = 4
# Examples are shown by the pages that are about them, and stand in examples/ as files that run.
exclude_patterns = ["examples", "registrations"]
html_theme = "pydata_sphinx_theme"
html_title = project
html_sidebars = {"index": [], "gallery": [], "questions": []}
html_static_path = ["site.css"]
html_css_files = ["site.css"]
GALLERY = Path(__file__).resolve().parents[1] / "build" / "gallery"
html_extra_path = [str(GALLERY)] if GALLERY.is_dir() else []
html_copy_source = False
html_show_search_summary = False  # a summary is fetched, and a page that is a file may fetch nothing
html_show_copyright = False
html_show_sphinx = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "collapse_navigation": True,  # its toggles have no name for who cannot see them
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 7,
    "footer_start": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
ELSEWHERE = {"../data/events/reference/README.md": "own-events.md"}


def setup(app: Sphinx) -> None:
    """Links that lead out of the pages lead somewhere on the site, or become words."""
    app.connect("source-read", _links_that_hold)


def _links_that_hold(app: Sphinx, name: str, source: list[str]) -> None:
    folder = (Path(app.srcdir) / name).parent

    def link(match: re.Match[str]) -> str:
        target = match[2].partition("#")[0]
        if target in ELSEWHERE:
            return f"[{match[1]}]({ELSEWHERE[target]})"
        return match[1] if target and (folder / target).is_dir() else match[0]

    source[0] = re.sub(r"\[([^\]]*)\]\((?!https?:)([^)\s]+)\)", link, source[0])
