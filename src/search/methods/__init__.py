"""The methods of the papers: each proposes rounds of trials from the results of the rounds before.

A method is made for the settings of a study, its base network and the number of classes. It draws from the study's
seed only, so that a resumed study proposes the same trials again.
"""
