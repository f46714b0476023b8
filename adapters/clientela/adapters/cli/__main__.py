"""
`python -m clientela.adapters.cli`.
"""

from clientela.adapters.cli import main


main()
