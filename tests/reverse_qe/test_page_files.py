"""A page as a file: whole or not at all, and nothing but an older page of ours gives way to it."""

from pathlib import Path

import pytest

from data.errors import InputError
from reverse_qe.pages.kit import Html, page
from reverse_qe.pages.page_files import require_page_path, write_page

PAGE = page(title="t", heading="h", subtitle="s", lead=Html())


def test_an_older_page_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    for text in (PAGE, PAGE.replace("<h1>h</h1>", "<h1>later</h1>")):
        require_page_path(path)
        write_page(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert [each.name for each in path.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize("content", [b"", b"mine", b'\xff\xfe<meta name="generator" content="Reverse'])
def test_nothing_else_gives_way(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    for refuse in (require_page_path, lambda each: write_page(each, PAGE)):
        with pytest.raises(InputError, match=r"got --page .*spec.toml, which exists"):
            refuse(path)
    assert path.read_bytes() == content
    with pytest.raises(InputError, match="which exists"):
        require_page_path(tmp_path)


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        write_page(tmp_path / "file" / "page.html", PAGE)
