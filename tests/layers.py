"""Another Channels layer, for as long as a test needs it."""

from collections.abc import Callable

from channels.layers import BaseChannelLayer, channel_layers

__all__ = ["stand_in"]


def stand_in(layer: BaseChannelLayer) -> Callable[[], None]:
    """Have *layer* be the default one. To be called at the end: what was, is again.

    There may have been none yet; then the settings' is made when it is asked for.
    """
    before = channel_layers.backends.get("default")
    channel_layers.set("default", layer)

    def restore() -> None:
        del channel_layers.backends["default"]
        if before is not None:
            channel_layers.set("default", before)

    return restore
