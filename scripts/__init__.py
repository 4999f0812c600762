"""Commands for developers: `python -m scripts.<verb>`; none of them is part of the wheel."""
