"""English words that `engine/training/edit_sites.py` finds in captions and may exchange.

A noun row is `category concept: forms = hints ~ neighbours`. A form is `one/many`, `/many` for
things that have no singular, or a mass noun on its own. Hints are other words that tell of the
concept without being exchanged. Neighbours are concepts that a photo with this one may show just as
well (hypernyms, look-alikes, places that come together): one is never the wrong text of the other.
A star marks things that a caption seldom leaves out, so that their absence can be claimed.
"""

from __future__ import annotations

from dataclasses import dataclass


def listed(text: str) -> list[str]:
    """The words of a list, which reads better as a text."""
    return text.split()


NOUN_ROWS = """
*person man: man/men guy/guys gentleman/gentlemen = he his him himself male males bearded groom \
father dad policeman businessman cowboy santa husband shirtless grandfather beard clown bald ~ \
person boy adult
*person woman: woman/women lady/ladies = she her hers herself female females bride mother mom \
wife skirt bikini grandmother dress cheerleader cheerleaders ladies bra makeup ~ person girl \
adult
*person boy: boy/boys = he his him himself male males brother brothers son toddler toddlers teen \
~ person child man baby
*person girl: girl/girls = she her hers herself female females sister sisters daughter toddler \
toddlers dress ballerina cheerleader cheerleaders teen ~ person child woman baby
*person child: child/children kid/kids toddler/toddlers = youth youths little son daughter \
youngster youngsters preschoolers siblings schoolchildren family families ~ person boy girl baby
*person baby: baby/babies infant/infants = newborn stroller toddler toddlers ~ person child boy \
girl
*person person: person/people = someone somebody group groups crowd crowds couple couples player \
players team teams rider riders biker bikers skier skiers surfer surfers snowboarder snowboarders \
skateboarder skateboarders climber climbers hiker hikers runner runners swimmer swimmers racer \
racers officer officers musician musicians band worker workers performer performers dancer \
dancers singer cyclist cyclists bicyclist bicyclists motorcyclist goalie teenager teenagers teen \
teens friend friends family audience spectators spectator onlookers soldier soldiers athlete \
athletes fisherman student students one ones figure driver owner pedestrians passengers wrestlers \
boater kayaker skater rollerblader trainer artist tourists shoppers bystanders police individual \
individuals two three four they their hand hands clothes clothing shirt jacket jeans shorts coat \
adult adults asian he she his her him friends crew jockey gymnast crews cowboys opponent batter ~ \
man woman boy girl child baby adult
group adult: adult/adults = parents elderly parent couple ~ man woman person
*animal dog: dog/dogs puppy/puppies = hound greyhound greyhounds poodle poodles retriever \
shepherd collie terrier terriers lab doberman pitbull bulldog bulldogs dalmatian beagle husky pug \
pup pups canine canines muzzled muzzle leash collar labrador corgi mutt hounds dachshund \
chihuahua boxer rottweiler spaniel schnauzer dogs' paw paws huskies fetch leashes collie setter \
mastiff dane ~ animal
*animal cat: cat/cats kitten/kittens ~ animal
*animal horse: horse/horses pony/ponies = horseback rodeo jockey jockeys equestrian polo bronco \
cowboy cowboys carriage bucking saddle donkey mule zebra stallion ~ animal
*animal bird: bird/birds = duck ducks goose geese seagull seagulls pigeon pigeons swan swans \
eagle parrot heron crane gull gulls owl hawk flamingo chicken chickens rooster egret pelican \
flock peacock falcon ~ animal
*animal cow: cow/cows bull/bulls = cattle calf steer bullfighter ox buffalo rodeo ~ animal
*animal goat: goat/goats = sheep lamb ram herd lambs deer ~ animal
*animal monkey: monkey/monkeys = ape gorilla chimp chimpanzee ~ animal
*animal camel: camel/camels = llama ~ animal
*animal elephant: elephant/elephants = ~ animal
group animal: animal/animals = creature pet wildlife tail fur furry ~ dog cat horse bird cow goat \
monkey camel elephant
*vehicle car: car/cars jeep/jeeps = suv vehicle vehicles van racecar racecars traffic taxi cab \
minivan automobile buggy convertible ferrari parking driver driving drives ~ truck
*vehicle truck: truck/trucks = vehicle vehicles pickup trailer tractor bulldozer van traffic ~ \
car
*vehicle bus: bus/buses = vehicle tram trolley traffic ~ train
*vehicle train: train/trains = subway tram trolley locomotive railway railroad ~ bus
*vehicle bike: bike/bikes bicycle/bicycles = biker bikers cyclist cyclists bicyclist bicyclists \
cycling biking bicycling bmx tricycle unicycle wheelie scooter pedals cycles bikers cycle tandem \
~ motorcycle
*vehicle motorcycle: motorcycle/motorcycles motorbike/motorbikes = biker bikers motorcyclist \
motocross moped dirtbike atv quad motorcyclists motorized wheelie motor ~ bike
*vehicle boat: boat/boats = ship sailboat rowboat canoe kayak raft ferry gondola rowing sailing \
motorboat speedboat kayaker kayaking boater rafting canoes kayaks yacht barge dock waterskiing \
wakeboarding paddle oar parasailing crew ~
*vehicle canoe: canoe/canoes kayak/kayaks raft/rafts = kayaker kayaking kayakers rafting paddling \
rowing paddle rowboat ~ boat
*vehicle plane: airplane/airplanes plane/planes = jet helicopter aircraft glider airport ~
*vehicle scooter: scooter/scooters = moped vespa segway ~ motorcycle bike
*board skateboard: skateboard/skateboards = skateboarder skateboarders skateboarding skater skate \
board skateboarded longboard grind grinding halfpipe ~
*board surfboard: surfboard/surfboards = surfer surfers surfing surf surfs board bodyboard boogie \
wakeboard wakeboarding waterskiing surfed boards paddleboard windsurfing ~
*board snowboard: snowboard/snowboards = snowboarder snowboarders snowboarding board snowboards \
boards ~ skis
*board skis: /skis = skier skiers skiing ski skied waterskiing waterskis cross-country ~ \
snowboard
*board sled: sled/sleds = sledding toboggan sledge sleigh tube innertube saucer tubing ~
*board swing: swing/swings = swinging swingset swung hammock tire ~
*board slide: slide/slides = sliding waterslide chute slid ~
*board trampoline: trampoline/trampolines = bouncing bounce ~
*thing ball: ball/balls football/footballs basketball/basketballs = soccer baseball tennis \
volleyball rugby softball golf cricket bowling player players bowl sphere hockey dodgeball \
kickball beachball lacrosse snowball goalie paintball pitch quarterback dribbles dribbling ~ toy
*thing frisbee: frisbee/frisbees = disc disk ~ toy
*thing stick: stick/sticks = branch branches log wood pole twig bone sticks hockey baton cane \
lacrosse tree driftwood paddle ~ toy
thing toy: toy/toys = object doll teddy stuffed tug item something frisbee ball stick bone tire \
rope balloon ~ ball frisbee stick
*thing rope: rope/ropes = leash harness cord rappelling climber climbers climbing wakeboarding \
climbs string lasso tug swing strap cable waterskiing lead tightrope tether line ~
*thing umbrella: umbrella/umbrellas = parasol ~
*thing guitar: guitar/guitars = guitarist instrument instruments band musician musicians bass \
concert banjo violin performs performing performer plays ~
*thing camera: camera/cameras = photographer photo photograph photographs picture pictures video \
photographers filming videotaping posing poses pose photographing looking film tripod ~
*thing book: book/books = reading reads read magazine newspaper paper notebook map menu write \
writing study ~
*thing phone: phone/phones cellphone/cellphones = cell telephone talking talks ipod device camera \
~
*thing bottle: bottle/bottles = drink drinking drinks beer beverage soda wine cup glass water ~
*thing flag: flag/flags = banner banners parade pole ~
*thing balloon: balloon/balloons = inflatable party ball ~
*thing kite: kite/kites = parasail parachute sail windsurfing parasailing ~
*thing microphone: microphone/microphones = mic singing singer sings karaoke stage speech band \
speaking guitar interviewed ~
*thing tire: tire/tires = wheel swing tyre hoop ~
thing bag: bag/bags backpack/backpacks purse/purses = luggage suitcase pack sack shopping hiker \
hikers hiking handbag groceries ~
thing newspaper: newspaper/newspapers = paper reading reads read magazine ~ book
thing cup: cup/cups = mug drink drinks drinking glass coffee beer soda beverage bottle bowl ~ \
bottle
thing cigarette: cigarette/cigarettes = smoking smoke smokes cigar pipe ~
wear shirt: shirt/shirts t-shirt/t-shirts = jersey top blouse tee tank polo shirted sweater \
sweatshirt jacket uniform coat suit vest clothes outfit hoodie ~ jacket sweater uniform vest coat
wear jacket: jacket/jackets = hoodie parka snowsuit sweatshirt vest clothes outfit ~ coat shirt \
sweater vest uniform suit
wear coat: coat/coats = parka snowsuit clothes outfit ~ jacket shirt sweater vest suit
wear sweater: sweater/sweaters sweatshirt/sweatshirts = hoodie top clothes outfit ~ shirt jacket \
coat vest
wear vest: vest/vests = clothes outfit tank harness ~ shirt jacket coat sweater uniform suit
*wear hat: hat/hats cap/caps = beanie bonnet helmet hood bandanna headscarf headband hardhat \
cowboy sombrero headdress visor crown wig toboggan santa hooded turban uniform costume winter ~ \
helmet
*wear helmet: helmet/helmets = hardhat biker bikers bicyclist cyclist motorcyclist racer racers \
rider football player players motocross hockey goalie batter gear climber kayaker jockey cap \
skier snowboarder headgear bmx equipment ~ hat bike motorcycle skis snowboard
*wear dress: dress/dresses = gown skirt costume tutu bride robe outfit sundress dressed kimono \
clothes wedding clothing ~ skirt
wear shorts: /shorts = trunks swimsuit outfit bathing uniform uniforms player players clothes ~ \
pants
wear pants: /pants /jeans = trousers overalls leggings slacks outfit denim jean clothes suit ~ \
shorts
*wear sunglasses: /sunglasses = glasses goggles shades eyeglasses spectacles mask visor ~
*wear skirt: skirt/skirts = kilt tutu costume uniform outfit cheerleaders cheerleader clothes \
uniforms ~ dress
*wear suit: suit/suits = tuxedo formal groom businessman wetsuit bathing snowsuit costume dressed \
swim uniform outfit tie ~ jacket
wear uniform: uniform/uniforms = jersey player players team officer police costume gear outfit \
soldiers ~ shirt suit costume
*wear costume: costume/costumes = mask dressed outfit santa clown spiderman costumed makeup \
cheerleaders uniform parade traditional outfits ~ dress
*wear scarf: scarf/scarves = bandanna headscarf shawl bandana winter ~
wear wetsuit: wetsuit/wetsuits = surfer scuba diver surfing bodysuit suit ~
seat bench: bench/benches = picnic seat bleachers pew sitting sits ~ chair
seat chair: chair/chairs = seat wheelchair stool lounge sitting sits seated recliner armchair ~ \
bench couch
seat couch: couch/couches sofa/sofas = loveseat futon seat ~ chair bed
seat bed: bed/beds = mattress bunk blanket sleeping pillow bedroom crib cot ~ couch
seat table: table/tables = counter desk picnic restaurant dining eating meal cafe ~
built fence: fence/fences = fenced railing gate barrier wall net chain fencing ~ wall
built wall: wall/walls = fence building brick graffiti mural rock ledge concrete ~ fence
built stairs: /stairs /steps = staircase stairway stair step steps stairwell ~
built bridge: bridge/bridges = pier dock walkway ~
built fountain: fountain/fountains = water sprinkler sprinklers ~ water
built hurdle: hurdle/hurdles = obstacle jump agility bar pole barrier ~
built ramp: ramp/ramps = halfpipe pipe skateboarder skateboarding jump rail skate bmx ~
built rail: rail/rails railing/railings = handrail bar banister fence ledge ~ fence
built statue: statue/statues sculpture/sculptures = monument figure mannequin ~
built tent: tent/tents = canopy camp camping ~
built tree: tree/trees = forest woods wooded trunk branch branches park leaves pine palm ~ forest
built rock: rock/rocks boulder/boulders = rocky cliff stone stones mountain climbing climber \
climbers climbs ledge ~ cliff mountain
built building: building/buildings = house city street store shop stadium church town restaurant \
skyscraper skyscrapers urban downtown house ~ street
*place water: water = lake ocean sea river pool pond stream wave waves surf swimming swims \
swimmer swim splash splashes splashing puddle creek fountain waterfall boat kayak canoe surfer \
surfing raft beach shore wet wading dock sprinkler hose rapids waterskiing wake kayaker fishing \
fish scuba diving underwater dives surfboard rowing bath shoreline sprinklers tub tide ~ pool \
lake ocean river beach
*place pool: pool/pools = swimming swims swimmer swim diving slide tub underwater waterpolo \
swimmers dive dives ~ water
*place lake: lake/lakes pond/ponds = shore dock waterskiing wakeboarding ~ water ocean river
*place ocean: ocean/oceans sea/seas = waves wave surf surfer surfing beach shore surfboard coast \
tide bay shoreline ~ water beach lake river
*place river: river/rivers stream/streams creek/creeks = rapids waterfall brook kayak canoe bank \
raft ~ water lake ocean
*place beach: beach/beaches shore = sand sandy ocean coast seashore volleyball waves surf \
shoreline seaside dunes surfer dune ~ sand ocean water lake
*place sand: sand = sandy beach dune dunes desert volleyball sandbox dirt shore sandcastle ~ \
beach desert dirt
*place snow: snow = snowy ski skis skier skiers skiing snowboard snowboarder snowboarding sled \
sledding ice icy winter snowball snow-covered snowman snowsuit snowboarders snowmobile frozen \
snowshoes slope slopes snowboards blizzard avalanche hockey snowbank skies cold ~ ice
*place ice: ice = icy rink frozen skating hockey skates skate winter snowy ~ snow
*place grass: grass = grassy lawn field yard park meadow pasture backyard turf garden hay grasses \
grassland soccer football baseball golf green outfield weeds hill plants cricket ~ field park \
yard
*place field: field/fields meadow/meadows = grass grassy lawn pasture turf farm soccer football \
baseball stadium rugby grassland outfield plain hay cricket softball prairie ~ grass park yard
*place yard: yard/yards backyard/backyards lawn/lawns = grass grassy garden house fenced \
sprinkler park ~ grass field park
*place park: park/parks = playground grass lawn bench garden skate picnic swings slide ~ grass \
field yard playground forest
*place playground: playground/playgrounds = swing swings slide monkey jungle gym sandbox ~ park
*place street: street/streets road/roads = sidewalk city pavement paved crosswalk urban highway \
curb lane alley traffic asphalt parade town downtown parking car crossing intersection \
cobblestone blacktop driveway bus walkway racetrack pathway market marathon shop shops path trail \
dirt road ~ sidewalk city
*place sidewalk: sidewalk/sidewalks = street road pavement city curb walkway urban store concrete \
path alley paved parade cement ~ street city
*place city: city/cities = street urban town downtown building buildings road sidewalk crosswalk \
skyline subway square traffic shop store market alley ~ street sidewalk
*place mountain: mountain/mountains = hill hills hillside cliff rock rocky peak slope ski \
mountainside summit mountaintop hiking climber climbing climbers hiker hikers skier snowboarder \
canyon ridge valley rocks skiing volcano mountainous ledge ~ hill cliff rock
*place hill: hill/hills slope/slopes = hillside mountain mountains downhill dune ski steep grassy \
mound skier snowboarder sledding ridge dunes cliff ~ mountain cliff
*place cliff: cliff/cliffs = rock rocks rocky mountain ledge climbing climber climbers canyon \
rappelling ridge boulder overlook ~ mountain rock hill
*place forest: forest/forests /woods = wooded trees tree jungle woodland leaves trail nature path \
bushes park ~ park tree
*place desert: desert/deserts = sand dunes dune camel dirt sandy ~ sand
*place mud: mud = muddy dirt dirty puddle ~ dirt
place dirt: dirt = muddy mud sand trail motocross dusty dust bmx soil gravel path field ground ~ \
mud sand
*place stage: stage/stages = concert band performance performing performer performs audience \
microphone onstage musician singer theater show dancers singing ~
*place kitchen: kitchen/kitchens = cooking stove oven sink counter baking cook chef restaurant \
refrigerator food indoors ~
*place restaurant: restaurant/restaurants cafe/cafes bar = dining table diner food eating drinks \
beer counter pub bartender market store ~
*place store: store/stores shop/shops = shopping market grocery mall aisle storefront window \
supermarket merchandise shelves vendor ~ street
*place room: room/rooms = indoor indoors inside house kitchen bedroom couch bed living office gym \
hallway floor carpet restaurant table window building classroom ~
place track: track/tracks racetrack/racetracks = race racing race races racer raceway course \
motocross ~ street
"""

# One row a family: words that name the same colour, then `~` families it may be taken for.
COLOUR_ROWS = """
red: red maroon crimson reddish ~ orange pink
blue: blue navy turquoise teal bluish aqua denim ~ purple
green: green olive lime camouflage turquoise teal
yellow: yellow golden gold blonde blond yellowish ~ orange tan
orange: orange ~ red yellow tan
brown: brown chocolate brunette brownish auburn khaki ~ tan
tan: tan beige golden khaki cream light-brown light-colored ~ brown yellow white orange
black: black dark dark-colored ~ grey
white: white cream light-colored pale ~ grey tan
grey: grey gray silver greyish ~ black white blue
pink: pink hot-pink fuchsia magenta ~ red purple
purple: purple violet lavender ~ pink blue
"""
# Colours that may be put in another's place; the other names only keep a colour from being wrong.
COLOURS = listed(
    "red blue green yellow orange brown tan golden black white grey gray pink purple silver beige"
)


@dataclass(frozen=True, slots=True)
class Noun:
    """A form of a noun: ``number`` is "one", "many", "mass", or "pair" for what has no singular."""

    concept: str
    category: str
    number: str
    single: str
    plural: str


def read_nouns() -> tuple[dict[str, Noun], dict[str, set[str]], dict[str, set[str]], set[str]]:
    """Forms by word, concepts that a word tells of, neighbours of a concept, and starred concepts.

    A form that two rows share belongs to the first.
    """
    nouns: dict[str, Noun] = {}
    tells: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    starred: set[str] = set()
    for row in NOUN_ROWS.strip().splitlines():
        head, _, rest = row.partition(":")
        category, concept = head.lstrip("*").split()
        rest, _, neighbours = rest.partition("~")
        forms, _, hints = rest.partition("=")
        if head.startswith("*"):
            starred.add(concept)
        for form in forms.split():
            single, slash, plural = form.partition("/")
            number = {single: "one" if slash else "mass", plural: "many" if single else "pair"}
            for word in filter(None, (single, plural)):
                nouns.setdefault(word, Noun(concept, category, number[word], single, plural))
                tells.setdefault(word, set()).add(concept)
        for word in hints.split():
            tells.setdefault(word, set()).add(concept)
        for other in neighbours.split():
            near.setdefault(concept, set()).add(other)
            near.setdefault(other, set()).add(concept)
    return nouns, tells, near, starred


def read_colours() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Families that a colour word tells of, and the neighbours of a family."""
    tells: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    for row in COLOUR_ROWS.strip().splitlines():
        family, _, rest = row.partition(":")
        words, _, neighbours = rest.partition("~")
        for word in words.split():
            tells.setdefault(word, set()).add(family)
        for other in neighbours.split():
            near.setdefault(family, set()).add(other)
            near.setdefault(other, set()).add(family)
    return tells, near
