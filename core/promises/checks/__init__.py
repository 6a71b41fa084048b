"""
What measures each promise. A check reads what there is (rows, objects, answers of our own server, the source itself)
and says what it saw: kept, broken, or unknown where what it would have to see cannot be seen.

`images`: what is stored, and when it goes. `reach`: who gets at it. `parties`: who else has it. `people`: what people
ask for. `house`: how this service is run. What a check needs from outside itself, it is given: so a test can take it
away.
"""
