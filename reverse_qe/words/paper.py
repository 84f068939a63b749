"""What `reverse-qe paper` prints of steps and of how an account stands."""

from typing import TYPE_CHECKING

from reverse_qe.output import print_table, say, show

if TYPE_CHECKING:
    from paper.ledger.records import Event
    from paper.overview.status import Status
    from paper.step.account import StepReport

SHADOW_HEAD = ("session", "", "action", "units", "amount, USD")
POSITION_HEAD = ("", "units", "price", "value, USD", "weight", "target")
# Of equity; what is less is told by its power of ten.
TOLD_AS_PERCENT = 1e-4


def step_line(told: "StepReport") -> str:
    """How a step ended, in one line."""
    from paper.service.attended_step import decision_text

    parts = [decision_text(told) if told.decision and not told.halt else "nothing decided"]
    if told.sent or told.fills:
        parts.append(f"{len(told.sent)} orders sent, {len(told.fills)} fills")
    parts += [f"! {each}" for each in (told.odd_data, *told.notes) if each]
    if told.halt:
        parts.append(f"HALTED: {told.halt}")
    if told.fault:
        parts.append(f"! {told.fault}")
    return "; ".join(parts)


def print_step(told: "StepReport") -> None:
    """What a step did, for people."""
    where = f"for {told.session}" if told.session else f"at {told.at:%Y-%m-%d %H:%M} UTC"
    show(f"Account {told.account}, step {where}{' (dry run: nothing is written or sent)' if told.dry_run else ''}")
    decision = told.decision
    if decision is not None:
        score = "none yet" if decision.score is None else f"{decision.score:+.2f}"
        show(
            f"{decision.regime}, score {score} (+ means scarcer); equity {decision.equity:,.2f} USD at the prices known"
        )
        if decision.intents:
            rows = [
                (
                    each.symbol,
                    each.side,
                    "-" if each.units is None else f"{each.units:,.6f}",
                    "-" if each.money is None else f"{each.money:,.2f}",
                    f"{each.decision_price:,.4f}",
                )
                for each in decision.intents
            ]
            print_table(
                f"Orders for {told.session} ({decision.why}){', NOT SENT' if told.halt else ''}",
                ("", "side", "units", "USD", "price known"),
                rows,
            )
        else:
            show(f"No orders for {told.session}: the book is left as it is.")
    elif told.session is not None and not told.halt and not told.fault:
        show(f"Nothing to decide: {told.session} is decided already.")
    if told.fills:
        fills = [
            (
                each.symbol,
                each.side,
                f"{each.units:,.6f}",
                f"{each.price:,.4f}",
                f"{each.fees:,.2f}",
                f"{each.at:%Y-%m-%d %H:%M}",
            )
            for each in told.fills
        ]
        print_table("Fills", ("", "side", "units", "price", "fees", "at (UTC)"), fills)
    for note in (told.odd_data, *told.notes):
        if note:
            show(f"! {note}")
    if told.fault:
        show(f"! {told.fault}")
    if told.halt:
        show(f"HALTED: {told.halt}")
        say("Nothing is sent until: reverse-qe paper resume --why TEXT")


def print_status(stands: "Status") -> None:
    """How an account stands, for people."""
    show(account_sentence(stands))
    if stands.halt is not None:
        show(halt_sentence(stands.halt))
    show(f"{stands.regime}.")
    title = f"Positions at {stands.valued_at}" if stands.valued_at else "Positions"
    print_table(title, POSITION_HEAD, position_rows(stands))
    for sentence in [shadow_sentence(stands), *step_sentences(stands)]:
        if sentence:
            show(sentence)
    show(comparison_sentence(stands))


def account_sentence(stands: "Status") -> str:
    """Which account it is."""
    label = "SIMULATED market" if stands.simulated else "market"
    return f"Account {stands.account}: {stands.spec} on {label} {stands.market}, broker {stands.broker}"


def halt_sentence(halt: "Event") -> str:
    """Since when an account is halted, and why."""
    return f"HALTED since {halt.at:%Y-%m-%d %H:%M} UTC: {halt.text}"


def position_rows(stands: "Status") -> list[tuple[str, ...]]:
    """What is held or wanted, the largest first, under `POSITION_HEAD`; then cash and equity."""
    rows: list[tuple[str, ...]] = [
        (
            each.symbol,
            f"{each.units:,.6f}" if each.units else "-",
            "-" if each.price is None else f"{each.price:,.4f}",
            f"{each.value:,.2f}",
            f"{each.weight:.1%}",
            f"{each.target:.1%}",
        )
        for each in stands.positions
    ]
    share = stands.cash / stands.equity if stands.equity else 0.0
    rows += [
        ("cash", "", "", f"{stands.cash:,.2f}", f"{share:.1%}", ""),
        ("equity", "", "", f"{stands.equity:,.2f}", "", ""),
    ]
    if stands.shadow.rows:
        rows.append(("not booked", "", "", f"{stands.shadow.total:,.2f}", "", ""))
        rows.append(("equity with it", "", "", f"{stands.equity_with_shadow:,.2f}", "", ""))
    return rows


def shadow_rows(stands: "Status") -> list[tuple[str, ...]]:
    """What the broker has not booked of the market's actions, the newest first, under `SHADOW_HEAD`."""
    return [
        (
            str(each.session),
            each.symbol,
            each.kind.replace("_", " "),
            f"{each.units:+,.6f}" if each.units else "-",
            f"{each.amount:+,.2f}" if each.amount else "-",
        )
        for each in reversed(stands.shadow.rows)
    ]


def shadow_sentence(stands: "Status") -> str:
    """How much the broker has not booked; empty where it has booked all."""
    rows, shadow = stands.shadow.rows, stands.shadow
    if not rows:
        return ""
    units = f" and units worth {shadow.value:,.2f} USD" if shadow.value else ""
    many = "" if len(rows) == 1 else "s"
    return (
        f"Not booked by the broker: {len(rows)} action{many} of the market since {rows[0].session}, "
        f"{shadow.cash:,.2f} USD{units}; outside the account's cash, and told apart from its equity"
    )


def step_sentences(stands: "Status") -> list[str]:
    """Open orders, the last step and the next one."""
    sentences = []
    if stands.open_orders:
        sentences.append(f"Open orders: {', '.join(stands.open_orders)}")
    if stands.last_step is not None:
        sentences.append(f"Last step: {stands.last_step.at:%Y-%m-%d %H:%M} UTC, {stands.last_step.text}")
    if stands.next_step is not None:
        sentences.append(f"Next step: {stands.next_step:%Y-%m-%d %H:%M} UTC, by the schedule of paper run")
    else:
        sentences.append(f"Next step: this account is replayed; the next session is {stands.next_session}")
    return sentences


def comparison_sentence(stands: "Status") -> str:
    """The account's equity beside that of the backtest of its spec."""
    compared = stands.comparison
    if compared is None:
        return "Equity beside the backtest: no session has ended yet"
    sessions = f"{compared.sessions} session{'' if compared.sessions == 1 else 's'}"
    # What rounding leaves is told as that; what people would call a difference, as they would.
    largest = compared.largest_difference
    told = f"{largest:.2%}" if largest >= TOLD_AS_PERCENT else f"{largest:.2e}"
    return (
        f"Equity beside the backtest of the same spec, {compared.first} to {compared.last} "
        f"({sessions}): {compared.paper:,.2f} against {compared.backtest:,.2f} USD; largest difference "
        f"{told} of it, on {compared.on}"
    )
