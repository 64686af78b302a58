"""Search methods on the reference task."""
