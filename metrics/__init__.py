"""Facts and what they say: the vocabulary, time, units, and one function per metric.

Pure: no clock, no network, no store. Nothing of keyresults may be imported here.
"""
