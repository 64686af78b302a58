"""A figure: what plotly draws, with the views that buttons switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class View:
    """A variant of a figure: what replaces fields of its traces and of its layout."""

    label: str
    traces: tuple[Mapping[str, Any], ...]
    layout: Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A plot of the report in plotly's terms, colours by role.

    Attributes:
        name: Of its place on the page.
        title: Heading.
        label: What a reader who cannot see it is told.
        data: Traces.
        layout: Layout.
        views: Variants, the first is shown; none where there is only one.
        group: What the views switch.
    """

    name: str
    title: str
    label: str
    data: tuple[Mapping[str, Any], ...]
    layout: Mapping[str, Any]
    views: tuple[View, ...] = ()
    group: str = ""

    def shown(self, view: int = 0) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return traces and layout of one view."""
        if not self.views:
            return [dict(trace) for trace in self.data], dict(self.layout)
        chosen = self.views[view]
        data = [{**trace, **more} for trace, more in zip(self.data, chosen.traces, strict=True)]
        return data, {**self.layout, **chosen.layout}
