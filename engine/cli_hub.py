"""A model from the hub, for `pairlens models import`: says what it would fetch, and asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from engine.cli_console import EXIT_NOTHING_DONE, confirmed, progress_bar, tell


def import_from_hub(name: str, convert: Callable[[str], int], agreed: bool) -> int:
    """Fetch the model ``name`` and hand its folder to ``convert``; returns the exit code.

    Asks before it fetches unless ``agreed``. Raises as `engine.converting.offered` and
    `engine.hub.fetched`.
    """
    from engine.converting import offered
    from engine.hub import fetched

    offer = offered(name)
    size = f"{offer.size / 1e6:,.0f} MB in {len(offer.files)} files"
    tell(f"{name} is on {offer.host}: {size}.")
    if offer.licence:
        tell(f"Its page gives this licence: {offer.licence}.")
    else:
        tell("Its page gives no licence: without one you may not pass it on.")
    if not agreed and not confirmed(f"Fetch {name} and make a model pack of it?"):
        return EXIT_NOTHING_DONE
    try:
        with ExitStack() as kept:
            with progress_bar("MB") as progress:
                folder = kept.enter_context(fetched(offer, progress))
            return convert(str(folder))
    except KeyboardInterrupt:
        tell("Stopped. What was fetched is kept: the same command goes on from there.")
        return EXIT_NOTHING_DONE
