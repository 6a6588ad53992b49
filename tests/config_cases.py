"""Pieces of config files that several tests start from."""

SOURCES = """\
[sources.prometheus]
type = "prometheus"
url = "http://localhost:9090"

[sources.coverage]
type = "coverage"
files = ["coverage.xml"]

[sources.repo]
type = "git"
deployments = { tags = "v*" }
"""
