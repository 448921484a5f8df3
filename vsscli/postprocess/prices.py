"""What tokens cost: a dated data file, which a file of one's own overrides."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsscli.errors import OptionError
from vsscli.postprocess.fields import Check, check_fields, is_amount, read_mapping
from vsscli.resources import resource_folder

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")  # gpt-4o-2024-11-20 costs what gpt-4o costs
_AMOUNTS: dict[str, tuple[Check, str]] = {
    "input": (is_amount, "US dollars for a million tokens"),
    "output": (is_amount, "US dollars for a million tokens"),
}


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens; ``source`` says where it was read."""

    input: float
    output: float
    source: str

    def usd(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self.input + tokens_out * self.output) / 1e6


def read_price(found: Any, where: str) -> Price:
    """A price from its two fields ``input`` and ``output``; OptionError naming ``where``."""
    fields = check_fields(found, where, _AMOUNTS, {})
    return Price(float(fields["input"]), float(fields["output"]), where)


def find_price(host: str, model: str, own: Path | None = None) -> Price | None:
    """What ``model`` costs at ``host``: from the file ``own`` where it tells, else from the shipped one, else None.

    OptionError when ``own`` is not of the form of ``prompts/prices.yaml``.
    """
    for path in (own, resource_folder("prompts") / "prices.yaml"):
        if path is None:
            continue
        prices, dated = _read(path)
        models = prices.get(host, {})
        for name in (model, _DATED.sub("", model)):
            if name in models:
                price = models[name]
                return Price(price.input, price.output, f"{path.name}{dated}")
    return None


def _read(path: Path) -> tuple[dict[str, dict[str, Price]], str]:
    content = read_mapping(path, "a file of prices")
    hosts: dict[str, tuple[Check, str]] = {
        "usd_per_million_tokens": (lambda value: isinstance(value, dict), "hosts with models with prices")
    }
    dates: dict[str, tuple[Check, str]] = {"date": (lambda value: value is not None, "the day of these prices")}
    fields = check_fields(content, str(path), hosts, dates)
    prices = {}
    for host, models in fields["usd_per_million_tokens"].items():
        if not isinstance(models, dict):
            raise OptionError(f"{path} gives {host!r} no models with prices.")
        prices[str(host)] = {str(name): read_price(price, f"{path}, {host}, {name}") for name, price in models.items()}
    return prices, f", {fields['date']}" if "date" in fields else ""
