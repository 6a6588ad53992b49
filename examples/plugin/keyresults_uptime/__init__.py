"""A keyresults collector for the JSON file of a status page."""
