"""How a strategy is traded on paper: one TOML file. Keys of a broker never stand in it, only the names under which the
environment holds them."""

import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from backtests.spec.spec import Spec, load_spec, shipped_specs
from backtests.spec.versions import VERSION
from data.files.home import home
from data.files.toml import read_toml, validated
from paper.broker_registry import BROKERS, DEFAULT_BROKER, BrokerEntry

DEFAULT_FILE = Path("paper.toml")
PAPER_ENDPOINT = "https://paper-api.alpaca.markets"
ACCOUNT_LENGTH = 40
LOOPBACK = ("127.0.0.1", "localhost")

# What users may look for. Nothing here can trade real money.
NEVER = dict.fromkeys(("paper", "live", "live_trading", "dry_run"), "only paper accounts are traded") | dict.fromkeys(
    ("api_key", "key", "secret", "secret_key", "password", "token", "urls", "url"),
    "a file holds no keys, only the names of the environment variables that do (key_env, secret_env, urls_env)",
)


def _check_variable(name: Any) -> Any:
    """Refuse what is no name of an environment variable; as it may be the key itself, it is not repeated."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", name):
        raise ValueError(
            "got no name of an environment variable (it is not repeated here, for it may be a key), wanted one in "
            "capitals with an underscore, such as ALPACA_API_KEY_ID"
        )
    return name


def check_endpoint(endpoint: str) -> str:
    """Return the address of a paper account at Alpaca, or of a double of it on this machine; refuse every other."""
    try:
        parts = urlsplit(endpoint)
        on_loopback = parts.scheme in ("http", "https") and parts.hostname in LOOPBACK and parts.username is None
    except ValueError:
        on_loopback = False
    if endpoint.rstrip("/") == PAPER_ENDPOINT or on_loopback:
        return endpoint.rstrip("/")
    live = "api.alpaca.markets" in endpoint.lower() and "paper-api" not in endpoint.lower()
    why = "got the endpoint of live accounts, api.alpaca.markets" if live else "got another endpoint"
    raise ValueError(f"{why}; only paper accounts are traded: wanted {PAPER_ENDPOINT}")


def _check_kind(kind: str) -> str:
    if kind not in BROKERS:
        raise ValueError(f"got {reprlib.repr(kind)}, wanted {' or '.join(map(repr, BROKERS))}")
    return kind


VariableName = Annotated[str, BeforeValidator(_check_variable)]
_SECTION = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AccountSection(BaseModel):
    """Whose book it is.

    Attributes:
        name: of the account; its ledger, and the ids of its orders, carry it.
        initial_cash: US dollars that a simulated account begins with; None: the spec's. An account at a broker begins
            with what is there.
    """

    model_config = _SECTION

    name: str = Field(default="paper", pattern=r"^[A-Za-z0-9_-]+$", max_length=ACCOUNT_LENGTH)
    initial_cash: float | None = Field(default=None, gt=0)


class BrokerSection(BaseModel):
    """Who fills the orders.

    Attributes:
        kind: of `paper.broker_registry.BROKERS`. ``simulated``: a book of ours, filled at the opens of the market;
            ``alpaca``: a paper account at Alpaca.
        endpoint: of paper accounts at Alpaca, or of a double of it on this machine.
        key_env: name of the environment variable that holds the id of the key.
        secret_env: name of the environment variable that holds its secret.
    """

    model_config = _SECTION

    kind: Annotated[str, AfterValidator(_check_kind)] = DEFAULT_BROKER
    endpoint: Annotated[str, AfterValidator(check_endpoint)] = PAPER_ENDPOINT
    key_env: VariableName = "ALPACA_API_KEY_ID"
    secret_env: VariableName = "ALPACA_API_SECRET_KEY"

    @property
    def entry(self) -> BrokerEntry:
        """What the registry has of this kind of broker."""
        return BROKERS[self.kind]


class ScheduleSection(BaseModel):
    """When `paper run` takes a step on the day of a session; a step at any other time does no harm.

    Attributes:
        decide_after: minutes after 00:00 UTC before which the decision for the day is not taken: the last bars of coins
            need some to be there.
        before_open: minutes before the New York Stock Exchange opens, so that sales wait for the open.
        after_open: minutes after it opens, when sales have brought the money for buys.
        repeat: minutes between the steps that follow while orders are open or a step could not be ended.
    """

    model_config = _SECTION

    decide_after: int = Field(default=15, ge=0, le=480)
    before_open: int = Field(default=10, ge=0, le=240)
    after_open: int = Field(default=5, ge=0, le=240)
    repeat: int = Field(default=10, ge=1, le=240)


class CoinOrders(BaseModel):
    """Orders of coins, which trade around the clock: a broker takes none that end with the day.

    Attributes:
        type: ``market``, as in the backtest.
        time_in_force: ``gtc``: until it is filled or the next session begins; ``ioc``: at once, what is left ends.
    """

    model_config = _SECTION

    type: Literal["market"] = "market"
    time_in_force: Literal["gtc", "ioc"] = "gtc"


class StockOrders(BaseModel):
    """Orders of stocks and funds: parts of a share are traded at the market and for the day only.

    Attributes:
        type: ``market``, as in the backtest.
        time_in_force: ``day``: what is not filled at the close ends.
    """

    model_config = _SECTION

    type: Literal["market"] = "market"
    time_in_force: Literal["day"] = "day"


class OrdersSection(BaseModel):
    """Order types and time in force by asset class."""

    model_config = _SECTION

    crypto: CoinOrders = CoinOrders()
    us_stock: StockOrders = StockOrders()
    us_etf: StockOrders = StockOrders()


class LimitsSection(BaseModel):
    """What no decision may pass; one that does halts the trader, which sends nothing until `paper resume`.

    Attributes:
        largest_order: value of one order, as a share of equity.
        largest_position: value of an instrument after a buy, as a share of equity.
        largest_turnover_a_day: value of all orders of a session, sells and buys, as a share of equity.
        drawdown_halt: fall of equity from its peak (since the account was opened or resumed), as a fraction.
        price_move_halt: change of the price that sizes an order, or values a holding, against the one known a session
            before, as a fraction of it.
        stale_sessions_halt: sessions before the one decided for without a bar of any stock, or of any coin; at so many
            the trader halts.
        kill_file: while it is there, nothing is sent. A relative path begins at the configuration's folder; None: STOP
            in the state folder.
    """

    model_config = _SECTION

    largest_order: float = Field(default=0.5, gt=0)
    largest_position: float = Field(default=0.6, gt=0)
    largest_turnover_a_day: float = Field(default=1.8, gt=0)
    drawdown_halt: float = Field(default=0.5, gt=0, le=1)
    price_move_halt: float = Field(default=0.5, gt=0)
    stale_sessions_halt: int = Field(default=2, ge=1)
    kill_file: Path | None = None


class AlertsSection(BaseModel):
    """Who is told what, by Apprise: mail, Slack, Telegram and others.

    Attributes:
        urls_env: names of the environment variables that hold Apprise URLs; several URLs in one stand apart by spaces.
        on: ``halt``: the trader halts, or is resumed; ``fault``: a step could not be ended; ``decision``: every
            decision, one message a session.
    """

    model_config = _SECTION

    urls_env: tuple[VariableName, ...] = ()
    on: tuple[Literal["halt", "fault", "decision"], ...] = ("halt", "fault")


class StateSection(BaseModel):
    """Where the account is kept.

    Attributes:
        path: folder of the ledger. A relative path begins at the configuration's folder; None: ``paper/`` and the
            account's name below ``$REVERSE_QE_HOME``.
    """

    model_config = _SECTION

    path: Path | None = None


class PaperConfig(BaseModel):
    """All that decides how a spec is traded on paper.

    Attributes:
        market: name of the snapshot, or of the market with versions, of which the newest is read.
        spec: name of a shipped spec or path of a TOML file; a relative path begins at the configuration's folder.
        refresh: whether a step first asks the sources for what the market lacks, as `data fetch` does.
    """

    model_config = _SECTION

    market: str = Field(min_length=1)
    spec: str = Field(min_length=1)
    refresh: bool = False
    account: AccountSection = AccountSection()
    broker: BrokerSection = BrokerSection()
    schedule: ScheduleSection = ScheduleSection()
    orders: OrdersSection = OrdersSection()
    limits: LimitsSection = LimitsSection()
    alerts: AlertsSection = AlertsSection()
    state: StateSection = StateSection()
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _versions_can_be_added(self) -> Self:
        if self.refresh and re.search(r"\.[1-9][0-9]*$", self.market):
            raise ValueError(
                f"got refresh = true with market {self.market}, one version that never changes; wanted the market's "
                f"name, {self.market.rpartition('.')[0]}"
            )
        return self

    def load_spec(self, by_hand: int = VERSION) -> Spec:
        """Read the spec.

        Args:
            by_hand: the version of a spec that does not say which one wrote it: that of the account.

        Raises:
            InputError: there is none, or it is wrong.
        """
        beside = self._folder / self.spec
        source = self.spec if self.spec in shipped_specs() and not beside.is_file() else str(beside)
        # The account names its market; one that the spec names is for backtests.
        return load_spec(source, by_hand=by_hand).on(None)

    @property
    def state_folder(self) -> Path:
        """The folder of the account's ledger."""
        if self.state.path is None:
            return home() / "paper" / self.account.name
        return self._folder / self.state.path.expanduser()

    @property
    def kill_file(self) -> Path:
        """The file that keeps everything from being sent while it is there."""
        if self.limits.kill_file is None:
            return self.state_folder / "STOP"
        return self._folder / self.limits.kill_file.expanduser()


def read_config(path: Path = DEFAULT_FILE) -> PaperConfig:
    """Read a configuration.

    Raises:
        InputError: no such file, no TOML, an unknown key or a wrong value: the key, what was got, what was wanted.
    """
    missing = f"no configuration {path}: wanted a TOML file; make one with reverse-qe paper init"
    config = validated(PaperConfig, read_toml(path, str(path), missing), str(path), "configuration", NEVER)
    config._folder = path.parent
    return config
