"""The studio: a web application that answers for one shop, and the page that a person designs with."""
