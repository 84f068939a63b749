"""Alerts by Apprise: mail, Slack, Telegram and others. Their addresses hold secrets and are never repeated."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from data.errors import InputError
from paper.config import AlertsSection

if TYPE_CHECKING:
    from apprise import Apprise

AlertKind = Literal["halt", "fault", "decision"]
TITLE = "Reverse QE, paper account {account}: {kind}"


class Alerts:
    """Where alerts go; nowhere, where none are configured."""

    def __init__(self, config: AlertsSection, account: str) -> None:
        """Read the addresses from the environment.

        Raises:
            InputError: the extra is not installed, a variable is not set, or holds no address.
        """
        self._account, self._kinds = account, config.on
        self._receivers = list(_receivers(config)) if config.urls_env else []

    def __len__(self) -> int:
        return len(self._receivers)

    def send(self, kind: AlertKind, text: str, say: Callable[[str], None]) -> None:
        """Send an alert to everybody, where its kind is wanted; what cannot be delivered is told and stops nothing.

        Args:
            kind: of the alert.
            text: of the message.
            say: is told in one line of what was not delivered.
        """
        if kind in self._kinds:
            self._deliver(TITLE.format(account=self._account, kind=kind), text, say)

    def test(self, say: Callable[[str], None]) -> bool:
        """Send everybody a message that says it is a test; return whether all were delivered."""
        return self._deliver(TITLE.format(account=self._account, kind="test"), "Alerts of this account arrive.", say)

    def _deliver(self, title: str, text: str, say: Callable[[str], None]) -> bool:
        failed = 0
        for name, receiver in self._receivers:
            try:
                delivered = bool(receiver.notify(title=title, body=text))
            except Exception:  # Whatever a plugin raises may repeat the address.
                delivered = False
            if not delivered:
                failed += 1
                say(f"! an alert could not be delivered to {name}: {title}: {text}")
        return not failed


def _receivers(config: AlertsSection) -> Iterator[tuple[str, "Apprise"]]:
    try:
        import apprise
    except ImportError as error:
        raise InputError(
            "alerts are configured (alerts.urls_env), but Apprise is not installed: "
            "pip install '.[alerts]' in the checkout, or empty alerts.urls_env"
        ) from error
    # It tells of its failures with parts of addresses, to whoever has set up logging.
    logging.getLogger("apprise").disabled = True
    for variable in config.urls_env:
        urls = os.environ.get(variable, "").split()
        if not urls:
            raise InputError(f"alerts.urls_env names {variable}, which is not set; export it, or take it out")
        for number, url in enumerate(urls, start=1):
            name = f"{variable} ({number} of {len(urls)})" if len(urls) > 1 else variable
            receiver = apprise.Apprise()
            if not receiver.add(url):
                raise InputError(
                    f"{name} holds no address that Apprise understands (it is not repeated here, for it may hold a "
                    "secret); wanted one such as mailto://user:password@example.com"
                )
            yield name, receiver
