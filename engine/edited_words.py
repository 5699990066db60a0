"""Words and fixed wordings of the edited captions.

A group such as ``"dog puppy"`` is one thing under several names; a caption with any of them names
it.
"""

from __future__ import annotations

from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A colour, and the words that a person may well use for the same thing. A colour is called wrong
# only where none of these is in any caption of the photo.
COLOURS: Final[dict[str, str]] = {
    "black": "dark grey gray navy",
    "white": "light grey gray silver cream beige blond blonde tan pale",
    "red": "pink orange maroon burgundy purple brown crimson redheaded",
    "blue": "purple turquoise teal navy aqua denim jeans grey gray",
    "green": "turquoise teal lime olive camouflage",
    "yellow": "gold golden orange tan blond blonde lime brown beige neon",
    "pink": "red purple orange magenta peach",
    "orange": "red yellow brown tan pink golden peach",
    "purple": "pink blue violet lavender magenta red",
    "brown": "tan beige gold golden blond blonde red orange yellow dark khaki wooden wood rust",
    "tan": "brown beige gold golden blond blonde yellow white cream orange light khaki",
}
# Beside a colour, these say that it isn't the only one.
PATTERNED: Final = _names(
    "and or light dark bright striped stripe stripes plaid spotted colored coloured "
    "multicolored checkered mostly pale neon"
)

NUMBERS: Final = ("one", "two", "three", "four", "five", "six")
# With these in a caption the exact number is anybody's guess.
VAGUE: Final = _names(
    "group crowd several many few others team teams bunch lots number numerous various "
    "audience spectators onlookers family herd flock seven eight nine ten dozen multiple "
    "players statue statues parade"
)
PLURALS: Final[dict[str, str]] = {
    "dog": "dogs",
    "puppy": "puppies",
    "man": "men",
    "woman": "women",
    "boy": "boys",
    "girl": "girls",
    "child": "children",
    "kid": "kids",
    "person": "people",
    "baby": "babies",
    "toddler": "toddlers",
    "player": "players",
    "horse": "horses",
    "bird": "birds",
    "lady": "ladies",
    "guy": "guys",
    "biker": "bikers",
    "cyclist": "cyclists",
    "skier": "skiers",
    "surfer": "surfers",
    "climber": "climbers",
    "greyhound": "greyhounds",
    "adult": "adults",
    "hiker": "hikers",
    "runner": "runners",
    "cow": "cows",
}
# With any of these in a caption, more than one person or animal may be in the photo.
MANY: Final = frozenset(PLURALS.values()) | _names(
    "another other others two three four five six each together group crowd team teammates "
    "race couple pair family friends pack several many some both twins opponents players "
    "adults women's dogs' parade concert audience spectators onlookers band busy crowded "
    "stadium"
)

# What can stand in the same place of a caption. Two members of a row are told apart only where no
# caption of the photo has a word of the other's group.
OBJECTS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "man guy gentleman male father dad businessman men guys he his him policeman cowboy child",
        "woman lady female mother mom women ladies she her hers bride child",
    ),
    (
        "boy boys male son he his him child kid toddler baby man guy",
        "girl girls female daughter she her hers child kid toddler baby woman lady",
    ),
    (
        "dog dogs puppy puppies animal animals greyhound retriever poodle terrier labrador hound",
        "cat cats kitten animal animals",
        "horse horses pony animal animals bronco bull rodeo",
        "bird birds duck ducks pigeon seagull eagle goose animal animals",
        "cow cows bull sheep goat animal animals",
        "person man woman boy girl child kid people men women boys girls children kids guy lady "
        "baby toddler someone he she his her",
    ),
    (
        "ball balls baseball football toy tennis soccer basketball object something",
        "frisbee frisbees disc disk toy object something",
        "stick sticks branch log wood toy object something pole",
        "bone toy object something",
        "rope toy object something leash",
        "hurdle obstacle bar fence barrier pole gate",
        "book books magazine newspaper paper",
        "camera cameras photo photos picture pictures photograph",
        "guitar guitars instrument instruments banjo music musician",
        "drink drinks beer wine cup bottle coffee glass soda beverage",
        "baby infant newborn toddler child",
        "flag flags banner",
        "umbrella umbrellas parasol",
        "fish fishing",
    ),
    (
        "bike bikes bicycle bicycles bicyclist biker cyclist cycling bmx biking motorcycle "
        "motorbike scooter",
        "motorcycle motorcycles motorbike motorcyclist biker bike dirt motocross scooter",
        "horse horses pony bronco rodeo bull",
        "skateboard skateboards skateboarder skateboarding skater skateboards board",
        "snowboard snowboarder snowboarding board",
        "surfboard surfboards surfer surfing surfs wakeboard board bodyboard",
        "scooter scooters motorcycle bike",
        "sled sleds sledding sledge toboggan tube inflatable",
        "swing swings swinging",
        "slide slides sliding",
        "trampoline trampolines",
        "boat boats canoe kayak raft ship sailboat rowboat",
        "kayak kayaks kayaker canoe boat paddle raft",
        "car cars vehicle truck van jeep suv",
        "bench benches seat",
        "couch couches sofa loveseat seat furniture",
        "bed beds mattress",
        "chair chairs seat stool armchair",
        "wall walls ledge",
        "rock rocks boulder boulders cliff stone rocky",
        "tree trees branch log",
    ),
    (
        "grass grassy field lawn yard park meadow garden pasture green",
        "field fields grass grassy meadow park yard lawn pasture",
        "snow snowy ice icy winter snowboard snowboarder ski skier snow-covered skiing",
        "sand sandy beach desert dune shore dirt",
        "beach beaches sand sandy shore ocean sea seashore coast waves surf",
        "water pool ocean sea lake river stream creek pond waves wave puddle splash splashes "
        "splashing swimming swims swim fountain",
        "pool pools swimming water",
        "ocean sea waves beach surf surfer water shore",
        "lake pond water river",
        "river stream creek water rapids",
        "street streets road city sidewalk pavement concrete town crosswalk traffic intersection",
        "sidewalk street pavement concrete road city walkway path",
        "road street dirt track path highway",
        "path trail dirt road track walkway",
        "woods forest trees wooded tree bushes",
        "mud muddy dirt dirty puddle",
        "dirt mud muddy sand sandy desert road track trail path ground",
        "park playground grass field",
        "playground park swing slide",
        "leaves leaf autumn fall",
        "restaurant cafe bar diner table",
        "hill hills mountain mountains slope cliff dune",
        "mountain mountains hill cliff slope rock peak mountaintop mountainside",
        "ramp ramps halfpipe half-pipe pipe",
        "couch sofa furniture",
        "bed",
        "room indoors floor house",
    ),
    (
        "soccer football ball kick kicking goal",
        "football soccer rugby tackle ball",
        "basketball hoop ball",
        "volleyball net ball",
        "tennis racket racquet ball",
        "baseball softball bat pitcher ball",
        "hockey puck rink ice",
        "guitar guitars instrument",
        "frisbee disc",
    ),
    (
        "hat hats cap helmet bandanna beanie headband hood headdress visor",
        "helmet helmets hat cap bicyclist biker gear hockey football baseball",
        "sunglasses glasses goggles shades",
        "dress dresses gown skirt costume",
        "backpack backpacks pack bag",
        "scarf scarves shawl",
        "bikini swimsuit bathing suit swim",
        "costume costumes dressed dress outfit mask",
        "tie suit",
        "apron",
    ),
)

# A caption may go on with one of these after a phrase that can stand alone.
BOUNDARY: Final = _names(
    "in on at with while as and near by next through across over into from during under along "
    "behind beside towards toward around to off up down onto for against after outside inside "
    "is are , that who which out wearing holding looking standing running sitting"
)
# A phrase that can stand alone does not end with one of these; what is left then is a torso.
HANGING: Final = BOUNDARY | _names(
    "a an the his her its their some of very one two three four five six another other each "
    "has have does do being be about trying tries going wears holds there it this these those "
    "was above below front top towards using doing having getting playing riding young little "
    "small large big old older black white red blue green yellow pink orange purple brown tan "
    "grey gray dark light bright striped tennis soccer long short bathing baseball basketball "
    "football making between atop beneath past away carrying covered taking dressed s t"
)
# These point at something outside the phrase.
POINTING: Final = _names(
    "that who which as while it they he she them him 's there this these those where when s t "
    "or both one's another other also but because its his her their theirs"
) - _names("its his her their")
# Words that can be left out of a true caption.
OPTIONAL: Final = _names(
    "young little small large big old older tiny tall elderly long-haired is are huge teenage "
    "very middle-aged"
)
STARTS: Final = frozenset(("a", "an", "the", *NUMBERS))
# So that "a dog runs" and "two dogs run" read as "a dog running" and "two dogs running".
VERBS: Final[dict[str, str]] = {
    "run": "running",
    "jump": "jumping",
    "leap": "leaping",
    "sit": "sitting",
    "stand": "standing",
    "walk": "walking",
    "ride": "riding",
    "play": "playing",
    "swim": "swimming",
    "hold": "holding",
    "climb": "climbing",
    "look": "looking",
    "wear": "wearing",
    "carry": "carrying",
    "carrie": "carrying",
    "chase": "chasing",
    "slide": "sliding",
    "throw": "throwing",
    "catch": "catching",
    "catche": "catching",
    "kick": "kicking",
    "lay": "lying",
    "lie": "lying",
    "laying": "lying",
    "pose": "posing",
    "smile": "smiling",
    "race": "racing",
    "splash": "splashing",
    "splashe": "splashing",
    "skate": "skating",
    "wade": "wading",
    "watch": "watching",
    "watche": "watching",
    "perform": "performing",
    "wrestle": "wrestling",
    "sleep": "sleeping",
    "rest": "resting",
    "eat": "eating",
    "drink": "drinking",
    "surf": "surfing",
    "paddle": "paddling",
    "dance": "dancing",
    "swing": "swinging",
    "fight": "fighting",
    "bite": "biting",
    "chew": "chewing",
    "hike": "hiking",
}

# What else to call someone, from the closest word on.
WIDER: Final[dict[str, tuple[str, ...]]] = {
    "man": ("person",),
    "woman": ("person",),
    "boy": ("child", "person"),
    "girl": ("child", "person"),
    "kid": ("child", "person"),
    "child": ("person",),
    "toddler": ("child", "person"),
    "guy": ("man", "person"),
    "lady": ("woman", "person"),
    "puppy": ("dog",),
    "greyhound": ("dog",),
    "biker": ("person",),
    "cyclist": ("person",),
    "skier": ("person",),
    "surfer": ("person",),
    "climber": ("person",),
    "player": ("person",),
    "hiker": ("person",),
    "runner": ("person",),
    "adult": ("person",),
}
# Words that tell one sort of people from the others.
SORTS: Final = (
    "man men guy guys gentleman gentlemen",
    "woman women lady ladies",
    "boy boys girl girls child children kid kids toddler toddlers baby babies",
    "dog dogs puppy puppies",
)
# Where it is, and the words that tell so.
PLACES: Final[dict[str, str]] = {
    "in the snow": "snow snowy",
    "on the grass": "grass grassy lawn",
    "on the sand": "sand sandy beach",
    "in the water": "swim swims swimming wading pool surfing surfs",
    "near the water": "ocean lake river shore",
    "on a street": "street sidewalk road",
    "among the trees": "woods forest wooded",
    "in the air": "air midair airborne",
    "in a field": "field meadow",
    "in a park": "park playground",
}
PLACE_WORDS: Final = _names("water trees ground sky area on at through over into hill") | frozenset(
    word for names in PLACES.values() for word in names.split()
)
# Things that people seldom leave untold, and the words that tell of them.
THINGS: Final[dict[str, str]] = {
    "dog": "dog dogs puppy puppies animal animals greyhound terrier poodle labrador retriever",
    "ball": "ball balls baseball football basketball volleyball softball soccer tennis toy object "
    "something golf bowling rugby player pool billiards cricket juggling juggler",
    "bicycle": "bicycle bicycles bike bikes biker bikers cyclist cycling bicyclist biking bmx "
    "motorbike tricycle cyclists rider ride riding rides",
    "motorcycle": "motorcycle motorcycles motorbike motorcyclist biker bike bikes dirt motocross "
    "scooter rider riding rides racer racing",
    "skateboard": "skateboard skateboards skateboarder skateboarding skater board skating skate "
    "skates skateboarders",
    "snowboard": "snowboard snowboards snowboarder snowboarding board ski skis skier snowboarders",
    "surfboard": "surfboard surfboards surfer surfers surfing surf surfs board wave waves",
    "boat": "boat boats canoe kayak raft ship sailboat kayaker rowing canoes kayaking rafting "
    "kayaks paddle paddling dock vessel kayakers",
    "horse": "horse horses pony rodeo bronco cowboy jockey polo animal animals cowboys",
    "guitar": "guitar guitars guitarist band music instrument instruments musician musicians",
    "frisbee": "frisbee frisbees disc disk toy object something",
    "stick": "stick sticks branch log wood toy object something pole poles hockey",
    "cat": "cat cats kitten animal animals",
    "bird": "bird birds duck ducks seagull seagulls pigeon pigeons eagle goose geese swan "
    "pelican parrot animal",
    "swing": "swing swings swinging tire playground rope hammock",
    "slide": "slide slides sliding playground waterslide",
    "trampoline": "trampoline trampolines bounce bouncing bouncy",
    "umbrella": "umbrella umbrellas parasol",
    "microphone": "microphone microphones mic singing sings singer singers band karaoke concert",
    "tent": "tent tents camp camping campsite",
    "sled": "sled sleds sledding sledge toboggan inner tube sledders",
    "fountain": "fountain fountains water sprinkler sprinklers",
    "bench": "bench benches seat seats",
    "couch": "couch couches sofa loveseat furniture bed chair",
    "kayak": "kayak kayaks kayaker kayakers kayaking canoe canoes boat raft paddle paddling",
    "car": "car cars vehicle vehicles truck jeep van suv taxi street traffic road city parked "
    "parking race",
    "camera": "camera cameras photo photos picture pictures photograph photographer photographs "
    "photographing filming video",
    "baby": "baby babies infant newborn toddler child stroller carriage",
    "kite": "kite kites parachute parasail",
    "rope": "rope ropes harness climber climbing climbs leash string tug",
    "ramp": "ramp ramps halfpipe half-pipe pipe skate skateboard skateboarder jump rail",
    "hurdle": "hurdle hurdles obstacle bar agility jump pole",
    "bridge": "bridge bridges",
    "flag": "flag flags banner parade",
}
# How a thing that a caption tells of by itself is put beside whom the photo is about.
OWNED: Final = "a {name} with {thing}"
# Said of a phrase {who} and a thing: where it is there, and where it is not.
NEGATIONS: Final[tuple[tuple[str, str], ...]] = (
    ("{who}, with at least one {thing} around", "{who}, without any {thing} around"),
    ("{who}, with a {thing} on view", "{who}, lacking any {thing}"),
    ("{who}, where a {thing} can be seen", "{who}, where not a single {thing} can be seen"),
    ("{who}; the photo does show a {thing}", "{who}; the photo doesn't show a {thing}"),
)
