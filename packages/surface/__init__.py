"""The surface: which component fits which capability, and pictures of it for reviewers (spec 3)."""

from packages.surface.fitting import misfit_of
from packages.surface.listing import render_listing
from packages.surface.pictures import Picture, Rendering, render_capability, render_component

__all__ = ["Picture", "Rendering", "misfit_of", "render_capability", "render_component", "render_listing"]
