"""TaskSpecs to submit."""

__all__ = ["CAT", "GIVE", "GREET", "SAY"]

GIVE = {"name": "give", "target": "tests.app.functions:give"}
GREET = {"name": "greet", "target": "tests.app.functions:greet", "kwargs": {"name": "you"}}
CAT = {"name": "cat", "target": {"command": ["cat"]}, "stdin_text": True}
SAY = {
    "name": "say",
    "target": {"command": ["printf", "%s|%s|%s"]},
    "args": ["${day} x", "$${day}", "${count}"],
    "spec_args": {"day": {"type": "string"}, "count": {"type": "integer", "default": 3}},
}
