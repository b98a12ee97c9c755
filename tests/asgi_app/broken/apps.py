from django.apps import AppConfig


class BrokenConfig(AppConfig):
    name = "tests.asgi_app.broken"
    label = "headway_broken"

    def ready(self) -> None:
        from consumers.feeds.hub import Hub

        async def serve(self: Hub) -> None:
            self.ready.set()
            raise RuntimeError("broken by the test")

        Hub.serve = serve  # type: ignore[method-assign]
