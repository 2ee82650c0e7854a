import re

import pytest
from helpers.configurations import ROOT, SCHEMA

from unscribed.config.documentation import COMMAND, MARK, README, documented, parameters
from unscribed.config.schema import read_schema

UNITS = {"ms": "ms", "hz": "Hz", "db": "dB", "seconds": "s", "hours": "h", "fraction": "share"}
SMALL = {
    "properties": {
        "corpus": {
            "title": "what to learn from",
            "properties": {
                "name": {"description": "A name."},
                "folder": {
                    "title": "your own data",
                    "description": "First\n\nsecond.\n",
                    "x-notes": "Last.\n",
                    "properties": {
                        "text": {"default": "", "description": "A file | or two.", "x-source": "own"},
                        "hours": {"default": 2.0, "description": "Of audio.", "x-unit": "h"},
                        "parts": {"default": ["a", 1], "description": "Of it."},
                        "kind": {"default": "b", "description": "Its kind."},
                    },
                },
            },
        },
    }
}
WANTED = """\
# Head

MARK

## corpus: what to learn from

| parameter | unit | default | source | meaning and when to change it |
| --- | --- | --- | --- | --- |
| `corpus.name` | | required | | A name. |

### corpus.folder: your own data

First

second.

| parameter | unit | default | source | meaning and when to change it |
| --- | --- | --- | --- | --- |
| `corpus.folder.text` | | `""` | own | A file \\| or two. |
| `corpus.folder.hours` | h | `2.0` | | Of audio. |
| `corpus.folder.parts` | | `["a", 1]` | | Of it. |
| `corpus.folder.kind` | | `b` | | Its kind. |

Last.
""".replace("MARK", MARK)


def test_sections_become_tables_below_the_head() -> None:
    assert documented(f"# Head\n\n{MARK}\n\nwhat was written before", SMALL) == WANTED
    assert documented(WANTED, SMALL) == WANTED
    with pytest.raises(ValueError, match=f"{README} has no line <!-- From here on"):
        documented("# Head\n", SMALL)


def test_the_tables_of_the_parameters_are_those_of_the_schema() -> None:
    written = (ROOT / README).read_text(encoding="utf-8")
    assert written == documented(written, read_schema(SCHEMA)), f"{README} is out of date: run `{COMMAND}`"


def test_the_tables_list_every_parameter() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", (ROOT / README).read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [name for name, _ in parameters(read_schema(SCHEMA))] and len(rows) > 200


def test_every_parameter_says_what_it_means_and_in_which_unit() -> None:
    for name, schema in parameters(read_schema(SCHEMA)):
        assert schema.get("description", "").endswith((".", ")")), name
        assert {key for key in schema if key.startswith("x-")} <= {"x-unit", "x-source"}, name
        unit = UNITS.get(name.rpartition("_")[2])
        assert unit is None or schema.get("x-unit") == unit, name
