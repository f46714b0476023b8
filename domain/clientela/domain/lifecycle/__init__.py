"""
Where the relationship stands (LIFE-4, LIFE-6, LIFE-11, LIFE-12, LIFE-17 to LIFE-27).

`model` is what a company may set, `stages` the command, the state and the rules, `events` what is
recorded, `course` facts and stages in the order in which they happened, `engine` which stage is
next and why, `telling` all that follows, `correction` what a late fact changes, `visits` the
history of stages, `explanation` the reason for the present one.
"""
