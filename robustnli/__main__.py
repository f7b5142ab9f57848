"""`python -m robustnli`; also what `accelerate launch -m robustnli` starts."""

from robustnli.cli import main

main()
