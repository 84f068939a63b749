"""A page as a file: whole or not at all, and nothing but an older page of ours gives way to it."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from data.errors import InputError
from every_page import OF_COMMAND
from reverse_qe.cli import cli
from reverse_qe.pages.kit import Html, page
from reverse_qe.pages.page_files import OPTION, require_page_path, write_page

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


@pytest.mark.parametrize("name", ["page", "page.txt", "page.html.txt", "page.csv", "html", ".html"])
def test_what_no_browser_would_show_as_a_page_is_no_name_for_one(tmp_path: Path, name: str) -> None:
    for refuse in (require_page_path, lambda each: write_page(each, PAGE)):
        with pytest.raises(InputError, match=rf"got --page .*{name}, wanted a name that ends in .html; choose .*html$"):
            refuse(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["page.htm", "PAGE.HTML", "a.b.html"])
def test_what_a_browser_shows_as_a_page_is(tmp_path: Path, name: str) -> None:
    write_page(tmp_path / name, PAGE)
    assert (tmp_path / name).is_file()


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        write_page(tmp_path / "file" / "page.html", PAGE)


def commands_with_a_page(command: click.Command, name: str = "") -> Iterator[str]:
    """The words of every command that takes --page, from click itself."""
    if isinstance(command, click.Group):
        for below in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), below)
            assert found is not None
            yield from commands_with_a_page(found, f"{name} {below}".strip())
    elif any(OPTION in parameter.opts for parameter in command.params):
        yield name


def test_every_page_of_a_command_is_looked_at_in_a_browser() -> None:
    """A new --page stands in `every_page`; a run's page, which has no option, does so too."""
    assert set(commands_with_a_page(cli)) == set(OF_COMMAND) - {"backtest"}
    assert all(pages and len(set(pages)) == len(pages) for pages in OF_COMMAND.values())
