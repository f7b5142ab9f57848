"""Home: what this is in a sentence, an example that flips at a click, three jobs as three doors."""

from robustnli.ui import home

home.follow()
seen = home.seen()
home.first_visit(seen)
home.doors(seen)
home.besides()
