import pytest
from django.core.exceptions import ImproperlyConfigured

from asgi_app.environment import Environment
from tasks.conf import problems


def test_what_is_set_to_nothing_is_not_set() -> None:
    env = Environment({"A": "  ", "B": " b "})

    assert env.text("A", "default") == "default"
    assert env.text("B") == "b"
    assert env.text("C") == ""


def test_words_keep_their_order_and_come_once() -> None:
    env = Environment({"HOSTS": " b, a,,b , c"})

    assert env.words("HOSTS") == ["b", "a", "c"]
    assert env.words("OTHERS", "x,y") == ["x", "y"]


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False)]
)
def test_flags(text: str, value: bool) -> None:
    assert Environment({"DEBUG": text}).flag("DEBUG", default=not value) is value


def test_a_flag_that_is_neither_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DEBUG must be one of .*, not 'maybe'"):
        Environment({"DEBUG": "maybe"}).flag("DEBUG")


def test_a_choice_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL must be one of INFO, not 'LOUD'"):
        Environment({"LOG_LEVEL": "LOUD"}).choice("LOG_LEVEL", "INFO", ("INFO",))


def test_apps_are_packages_or_configurations() -> None:
    env = Environment({"APPS": "tests.app,tests.app.apps.SuiteConfig"})

    assert env.apps("APPS") == ["tests.app", "tests.app.apps.SuiteConfig"]


@pytest.mark.parametrize("name", ["no_such_app", "no_such.app", "tests.app.none.Config", "a..b"])
def test_an_app_that_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"HEADWAY_APPS names '{name}'"):
        Environment({"HEADWAY_APPS": f"tests.app,{name}"}).apps("HEADWAY_APPS")


def test_keys_of_headway_have_the_type_of_their_default() -> None:
    found = Environment(
        {
            "HEADWAY_CONCURRENCY": "50",
            "HEADWAY_LEASE": "2.5",
            "HEADWAY_TIMEOUT": "60",
            "HEADWAY_ROLE": "web",
            "HEADWAY_AUTHZ": "shop.rules.may",
            "HEADWAY_GRACE": "",
        }
    ).headway()

    assert found == {
        "CONCURRENCY": 50,
        "LEASE": 2.5,
        "TIMEOUT": 60,
        "ROLE": "web",
        "AUTHZ": "shop.rules.may",
    }
    assert problems(found) == []


def test_origins_and_the_transport_have_a_short_form() -> None:
    found = Environment(
        {
            "HEADWAY_CORS_ORIGINS": "https://a.example, http://localhost:5173,",
            "HEADWAY_REALTIME": "sse",
        }
    ).headway()

    assert found == {
        "CORS_ORIGINS": ["https://a.example", "http://localhost:5173"],
        "REALTIME": {"TRANSPORT": "sse"},
    }
    assert problems(found) == []
    assert problems(Environment({"HEADWAY_REALTIME": "websocket"}).headway())


@pytest.mark.parametrize("text", ["many", "-1", "inf", "nan", "1.5"])
def test_a_wrong_number_is_left_to_the_check_that_names_it(text: str) -> None:
    found = Environment({"HEADWAY_CONCURRENCY": text}).headway()

    assert any("HEADWAY['CONCURRENCY']" in problem for problem in problems(found))


def test_an_unknown_key_is_left_to_the_check_that_names_it() -> None:
    found = Environment({"HEADWAY_LEASSE": "5"}).headway()

    assert "HEADWAY['LEASSE'] is no key of Headway's" in problems(found)[0]


def test_what_is_not_a_key_is_left_alone() -> None:
    found = Environment(
        {
            "HEADWAY_APPS": "tests.app",
            "HEADWAY_DATA": "/data",
            "HEADWAY_SERVICE_HOST": "10.0.0.1",
            "HEADWAY_PORT": "tcp://10.0.0.1:80",
            "HEADWAY_PORT_80_TCP_ADDR": "10.0.0.1",
            "OTHER": "1",
        }
    ).headway()

    assert found == {}
