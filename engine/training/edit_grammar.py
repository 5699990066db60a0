"""English verbs, numbers and prepositions of `engine/training/edit_sites.py`, and what may follow a
noun. For `=` and `~` see `engine/training/edit_words.py`.
"""

from __future__ import annotations

from engine.training.edit_words import listed

# base, third person, -ing; `~` actions that may be seen in the same photo. A photo stands still, so
# that what moves is easily called by several names.
VERB_ROWS = """
run runs running = sprints sprinting race races racing jog jogging trot trots trotting gallop \
galloping runner runners bounding bounds race playing chases chasing chase jogs leaping fetch ~ \
walk jump play chase
walk walks walking = strolling strolls stroll hiking hikes hike wading trotting crossing hiker \
trot marching crosses ~ run stand
sit sits sitting = seated kneeling kneels crouching squatting resting relaxing rest relaxes \
rides riding ride swinging perched crouches bench squats ~ lie ride
stand stands standing = posing poses pose waiting waits wait looking leaning leans watch watching \
watches lined stops ~ walk
jump jumps jumping = leap leaps leaping hopping hurdles bounding flips flip flipping midair air \
airborne jumped dives diving trick tricks bounce bouncing stunt dunk hops pounces hurdle leaped ~ \
run fly
swim swims swimming = swimmer swimmers floating wading paddling splashing splashes diving floats \
wades snorkeling bathing pool underwater splash plays playing ~
sleep sleeps sleeping = asleep napping resting lying laying lies nap rests lays bed ~ lie
lie lies lying = laying lays resting relaxing rest asleep sleeps sleeping rests rolling sunbathing \
~ sit sleep
climb climbs climbing = scaling climber climbers scales rappelling hanging hangs scale climbed \
hiking rappels ascending ~
ride rides riding = biking cycling rider riders bikes cyclist biker bikers skateboarding surfing \
surfs bicycling racing racer horseback skateboarder surfer driving drives bike bicycle motorcycle \
skateboard atv scooter horse sled wave sledding skateboards ~
dance dances dancing = dancer dancers ballet hula ~ jump
eat eats eating = food meal snack chewing dinner lunch biting chew bite bites chews feeding \
licking mouth ice cream sandwich cake picnic ~
drink drinks drinking = sipping beer bottle cup soda coffee sips straw beverage glass ~
read reads reading = book newspaper magazine ~
sing sings singing = singer microphone karaoke band performing performs musician musicians ~
crawl crawls crawling = knees tunnel ~
fly flies flying = midair air airborne wings flight soars soaring glides gliding ~ jump
play plays playing = game fighting wrestling fight wrestle toy soccer tug plays running chasing \
run runs jumping splashing ~ run jump
chase chases chasing = follow follows following pursues pursuing after running runs run race races \
racing catch playing ~ run
push pushes pushing = pushed ~
pull pulls pulling = pulled tug tugging dragging drags towing ~
throw throws throwing = pitches pitching tossing tosses toss pitch thrown pitcher bowling throw ~
kick kicks kicking = soccer kicked karate ~
catch catches catching = caught grabs grabbing retrieves retrieving reaching fetch leaps jumps \
jumping bites ~
hug hugs hugging = embrace embracing embraces holding arms holds cuddling ~
wave waves waving = wave hand hands ~
"""

NUMBERS = ("one", "two", "three", "four", "five", "six")
MANY = frozenset(
    listed(
        "group groups crowd crowds several many some few pair bunch lots team teams family "
        "couple couples flock herd pack band other others another seven eight nine ten dozen "
        "numerous various number audience various trio parade lot pile row rows twins line "
        "gang both"
    )
)

DETERMINERS = listed("a an the one two three four five six some his her their its another this")
# Words that may follow a noun without making a compound of it.
FOLLOWERS = frozenset(
    listed(
        ". , ; ! : in on at with of to from by near and or as while is are was were has have "
        "who that which over under up down through into onto off out behind beside across "
        "along around against between towards toward above below inside outside next for "
        "during after about before wearing whilst but when where atop among past beneath "
        "underneath looking together outdoors indoors all both does do look looks try tries "
        "get gets go goes make makes take takes hold holds wear wears carry carries watch "
        "watches pose poses leap leaps smile smiles hang hangs perform performs lean leans "
        "follow follows stare stares lay lays hit hits can being nearby alone without amongst "
        "beyond upon surrounded going away back each covered"
    )
)
NOT_VERBS = frozenset(listed("swing ring wing string clothing building painting railing evening"))
FUNCTION = FOLLOWERS | frozenset(listed("a an the his her its their he she it they them him not"))
# Singular verbs beside the actions above, for texts that go from one to many.
AGREEING = {
    "is": "are", "has": "have", "looks": "look", "holds": "hold", "wears": "wear",
    "carries": "carry", "watches": "watch", "poses": "pose", "leaps": "leap", "smiles": "smile",
    "hangs": "hang", "performs": "perform", "leans": "lean", "follows": "follow",
    "stares": "stare", "lays": "lay", "does": "do", "tries": "try", "takes": "take",
}  # fmt: skip

# Words that fit only one, or only several: with them a number can't go from one to many.
ONE_OR_MANY = frozenset(
    listed(
        "his her its their he she it him them they each other another both together match "
        "fighting fight wrestling wrestle hugging embracing kissing racing race competing "
        "side alone matching himself herself itself themselves talking arguing line row "
        "circle boxing posing"
    )
)

# Prepositions that say different things of the same place; `~` others that keep them from being
# wrong. Only words of one family are exchanged.
PREPOSITION_FAMILIES = (
    ("up", "down"),
    ("over", "under"),
    ("in front of", "behind"),
    ("into", "out of"),
    ("on", "under", "next to", "behind", "in front of"),
    ("towards", "away from"),
    ("toward", "away from"),
    ("above", "below"),
    ("inside", "outside"),
    ("in", "next to", "behind"),
    ("in", "near"),
    ("on", "near"),
    ("on top of", "under", "beside"),
    ("through", "over", "around"),
    ("onto", "off"),
    ("left", "right"),
)
PREPOSITION_NEAR = {
    "on": listed("atop over above across onto along in through"),
    "in": listed("inside into through within on at"),
    "under": ["underneath", "beneath", "below"],
    "over": ["above", "across", "on", "onto"],
    "above": ["over"],
    "below": ["under", "beneath", "underneath"],
    "next to": ["beside", "near", "by", "alongside", "behind"],
    "beside": ["near", "by", "alongside", "next", "behind"],
    "near": ["beside", "by", "next", "around", "behind"],
    "behind": listed("background through follows following back backdrop"),
    "in front of": listed("background foreground past before front backdrop"),
    "into": ["in", "to", "enters", "through"],
    "out of": ["from", "off", "leaves", "exits"],
    "up": listed("top uphill upstairs climbing climbs climb"),
    "down": listed("downhill bottom slide slides sliding from off descends descending ski skiing"),
    "towards": listed("toward to at after for through"),
    "toward": listed("towards to at after for through"),
    "away from": ["from", "off", "leaves", "leaving"],
    "inside": ["in", "into", "through"],
    "outside": ["by", "near", "front", "outdoors"],
    "onto": ["on"],
    "off": ["from", "down"],
    "through": ["in", "into", "across", "between"],
    "around": ["circling", "near", "by"],
    "on top of": listed("on over above atop top"),
    "left": [],
    "right": [],
}
PLACE_PREPOSITIONS = listed(
    "in on at through over into across along near down up under around by beside behind"
)
# Verbs and places that make a difference between who comes first and who comes second.
DIRECTED = frozenset(
    listed(
        "chase chases chasing follow follows following push pushes pushing pull pulls pulling "
        "carry carries carrying hold holds holding watch watches watching bite bites biting "
        "lead leads leading lift lifts lifting throw throws throwing behind under over after "
        "towards toward while photographing feeding teaching teaches helps helping tackle "
        "tackles tackling front above below onto atop kick kicks kicking lap shoulders looks "
        "looking looked hits hitting catches catching sits sitting stands standing jumps "
        "jumping whilst licking licks sniffing sniffs pulled pushed chased held carried "
        "watched followed"
    )
)
# Of these a dog and a person are equally capable.
CAPABLE = frozenset(
    listed(
        "chase chases chasing follow follows following watch watches watching chased behind "
        "followed watched over after towards toward looks under front"
    )
)


def read_verbs() -> tuple[dict[str, tuple[str, str]], dict[str, set[str]], dict[str, set[str]]]:
    """(action, form) by word, actions that a word tells of, and the neighbours of an action.

    A form is "base", "third" or "ing"; the action is its base.
    """
    forms: dict[str, tuple[str, str]] = {}
    tells: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    for row in VERB_ROWS.strip().splitlines():
        rest, _, neighbours = row.partition("~")
        words, _, hints = rest.partition("=")
        base = words.split()[0]
        for word, form in zip(words.split(), ("base", "third", "ing"), strict=True):
            forms.setdefault(word, (base, form))
        for word in (words + hints).split():
            tells.setdefault(word, set()).add(base)
        for other in neighbours.split():
            near.setdefault(base, set()).add(other)
            near.setdefault(other, set()).add(base)
    return forms, tells, near
