from pathlib import Path

import pytest

from unscribed.errors import UserError
from unscribed.text.inventory import read_inventory, write_inventory


def test_the_order_of_the_phones_is_kept(tmp_path: Path) -> None:
    phones = ["<SIL>", "tʃ", "n̩", "a"]
    write_inventory(tmp_path / "phones.txt", phones)
    assert read_inventory(tmp_path / "phones.txt") == phones
    assert (tmp_path / "phones.txt").read_bytes() == "<SIL>\ntʃ\nn̩\na\n".encode()


def test_an_inventory_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"phones\.txt: No such file"):
        read_inventory(tmp_path / "phones.txt")
