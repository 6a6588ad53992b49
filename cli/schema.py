from __future__ import annotations

import click

from .printing import write


@click.command()
def schema() -> None:
    """Print the JSON Schema of the config, for editors.

    \b
    Examples:
      keyresults schema > keyresults.schema.json
    """
    import json

    from ..config.json_schema import json_schema

    write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
