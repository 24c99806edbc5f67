"""Reports for people: tables of results and costs."""
