"""Writes the generated pages anew (`make docs`): each from what the code says of itself."""

from __future__ import annotations

import sys
from pathlib import Path

from keyresults.cli.reference import reference
from keyresults.collectors.documentation import write_pages
from keyresults.config.example import example_config
from keyresults.config.reference import config_reference

ROOT = Path(__file__).resolve().parents[1]


def main(root: Path) -> None:
    (root / "docs" / "collectors").mkdir(parents=True, exist_ok=True)
    write_pages(root / "docs" / "collectors")
    (root / "docs" / "commands.md").write_text(reference(), encoding="utf-8")
    (root / "docs" / "config.md").write_text(config_reference(), encoding="utf-8")
    (root / "config.example.toml").write_text(example_config(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
