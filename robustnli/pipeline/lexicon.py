"""Word lists for `augment`: what excludes what, what means the same, what is a kind of what. Our own; everyday words only."""

from __future__ import annotations

# Each row: words of which a thing has only one; swapping one for another makes the sentence false.
EXCLUSIVE: tuple[tuple[str, ...], ...] = tuple(
    tuple(row.split(","))
    for row in (
        "red,blue,green,yellow,orange,purple,pink,brown,black,white,gray",
        "two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,twenty",
        "guitar,piano,violin,trumpet,drum,flute,saxophone,cello,harmonica,accordion,banjo,tuba,clarinet,harp",
        "soccer,basketball,baseball,tennis,rugby,volleyball,hockey,golf,cricket,badminton,lacrosse",
        "dog,cat,horse,cow,goat,sheep,elephant,monkey,bear,camel,rabbit,lion,tiger,duck,pig,bird",
        "dogs,cats,horses,cows,goats,elephants,monkeys,camels,rabbits,ducks,pigs,birds",
        "car,bus,bicycle,motorcycle,truck,boat,train,plane,scooter,tractor,canoe",
        "winter,summer,spring,autumn",
        "morning,afternoon,evening,midnight,noon",
        "monday,tuesday,wednesday,thursday,friday,saturday,sunday",
        "january,february,march,april,june,july,august,september,october,november,december",
        "kitchen,bathroom,bedroom,garage,basement,attic,hallway",
        "breakfast,lunch,dinner",
        "apple,orange,banana,pear,peach,melon,lemon,cherry,grape,pineapple,strawberry",
        "apples,oranges,bananas,pears,peaches,lemons,cherries,grapes,strawberries",
        "carrot,potato,onion,tomato,cucumber,cabbage,pumpkin",
        "carrots,potatoes,onions,tomatoes,cucumbers,cabbages,pumpkins",
        "coffee,tea,milk,juice,beer,wine,water,lemonade",
        "pizza,soup,salad,sandwich,burger,pasta,cake,steak",
        "wooden,metal,plastic,glass,leather,paper,stone",
        "gold,silver,bronze,copper",
        "doctor,teacher,farmer,lawyer,chef,pilot,firefighter,carpenter,dentist,librarian,soldier,fisherman",
        "chinese,japanese,french,german,italian,spanish,indian,russian,mexican,brazilian,egyptian,korean,greek,turkish",
        "china,japan,france,germany,italy,spain,india,russia,mexico,brazil,egypt,korea,greece,turkey,canada,sweden,kenya,peru",
        "london,paris,berlin,rome,tokyo,madrid,moscow,cairo,toronto,sydney,beijing",
        "north,south,east,west",
        "first,second,third,fourth,fifth,sixth,last",
        "beach,forest,desert,library,supermarket,restaurant,church,airport,hospital,museum,stadium,gym,office",
        "hat,scarf,jacket,sweater,dress,skirt,tie,coat",
        "chair,sofa,bed,bench,stool,hammock",
        "hammer,saw,shovel,axe,drill,ladder,broom,rake",
        "swimming,running,cycling,skiing,dancing,sleeping,reading,cooking,painting,fishing,surfing,climbing,eating,singing",
        "pencil,brush,camera,telephone,umbrella,knife,spoon,bottle",
        "english,german,french,spanish,chinese,arabic,hindi",
        "square,round,triangular",
        "child,adult",
        "river,mountain,lake,ocean",
        "father,mother,brother,sister,uncle,aunt,grandfather,grandmother",
        "boy,girl",
        "boys,girls",
        "man,woman",
        "men,women",
        "his,her",
        "husband,wife",
        "king,queen",
    )
)

# Opposites: one makes the other false.
OPPOSITE: tuple[tuple[str, str], ...] = tuple(
    (row.split(",")[0], row.split(",")[1])
    for row in (
        "inside,outside;indoors,outdoors;young,old;young,elderly;up,down;left,right;sitting,standing;sits,stands;empty,full;open,closed;wet,dry;"
        "hot,cold;warm,cool;day,night;happy,sad;tall,short;big,small;large,small;huge,tiny;asleep,awake;sleeping,awake;smiling,frowning;behind,before;above,below;"
        "front,back;top,bottom;clean,dirty;bright,dark;loud,quiet;fast,slow;quickly,slowly;many,few;same,different;alive,dead;heavy,light;high,low;"
        "rich,poor;thick,thin;wide,narrow;early,late;near,far;alone,together;dressed,naked;laughing,crying;pushing,pulling;entering,leaving;"
        "buying,selling;giving,taking;ascending,descending;uphill,downhill;over,under;towards,away from;arriving,departing;winning,losing;wins,loses;sunny,rainy;"
        "clear,cloudy;crowded,empty;busy,idle;male,female;bald,longhaired;shallow,deep;rough,smooth;sharp,blunt;strong,weak;public,private;urban,rural;"
        "with,without;all,none;everyone,nobody;everybody,nobody;always,never;ugly,beautiful;fat,thin;new,used;expensive,cheap;safe,dangerous;noisy,silent;moving,still"
    ).split(";")
)

SAME: tuple[tuple[str, str], ...] = tuple(
    (row.split(",")[0], row.split(",")[1])
    for row in (
        "couch,sofa;bicycle,bike;photo,picture;photograph,picture;street,road;automobile,car;large,big;small,little;kid,child;kids,children;lady,woman;ladies,women;"
        "guy,man;guys,men;gentleman,man;motorbike,motorcycle;infant,baby;talking,speaking;talks,speaks;talking,chatting;jogging,running;begins,starts;"
        "ship,vessel;store,shop;woods,forest;stone,rock;stones,rocks;cap,hat;sweater,jumper;trousers,pants;spectators,onlookers;spectacles,glasses;quickly,rapidly;"
        "happy,glad;sad,unhappy;garbage,trash;film,movie;airplane,plane;aeroplane,plane;soccer,football;present,gift;path,trail;near,close to;beside,next to;"
        "beneath,under;atop,on top of;several,multiple;gathered,assembled;ocean,sea;puppy,young dog;kitten,young cat;elderly,old;bag,sack;hike,walk;wearing,dressed in;"
        "observing,watching;observes,watches;looking at,gazing at;purchasing,buying;repairing,fixing;repairs,fixes;cleaning,tidying;mother,mom;father,dad;afraid,scared;"
        "silent,quiet;correct,right;answer,reply;everyone,everybody;no one,nobody;cab,taxi;physician,doctor;autumn,fall;below,underneath;center,middle;leaps,jumps;leaping,jumping"
    ).split(";")
)

# (kind, what it is): the first entails the second.
KIND_OF: tuple[tuple[str, str], ...] = tuple(
    (word, row.split(":")[1])
    for row in (
        "dog,cat,horse,cow,goat,elephant,monkey,bear,camel,rabbit,lion,bird,duck:animal",
        "dogs,cats,horses,cows,goats,elephants,monkeys,camels,rabbits,birds,ducks:animals",
        "poodle,dalmatian,beagle,collie,bulldog,terrier,retriever:dog",
        "parrot,sparrow,eagle,pigeon,seagull,owl,goose:bird",
        "guitar,piano,violin,trumpet,flute,saxophone,cello,banjo,tuba,harp:musical instrument",
        "guitar,violin,trumpet,flute,saxophone,accordion:instrument",
        "car,bus,truck,motorcycle,van,tractor:vehicle",
        "cars,buses,trucks,motorcycles,vans:vehicles",
        "canoe,kayak,sailboat,ferry,rowboat:boat",
        "apple,orange,banana,pear,peach,grape:fruit",
        "apples,oranges,bananas,pears,peaches,grapes,cherries:fruit",
        "carrots,potatoes,onions,cucumbers,cabbages:vegetables",
        "rose,tulip,daisy,lily,sunflower:flower",
        "roses,tulips,daisies,lilies,sunflowers:flowers",
        "oak,pine,birch,willow,maple:tree",
        "man,woman,boy,girl,doctor,teacher,farmer,chef,firefighter,soldier,waiter,cyclist,musician,surfer,skier:person",
        "men,women,boys,girls,doctors,teachers,farmers,soldiers,cyclists,musicians,children,kids:people",
        "boy,girl,toddler:child",
        "boys,girls,toddlers:children",
        "soccer,basketball,baseball,tennis,rugby,volleyball,hockey:a sport",
        "sedan,taxi,limousine:car",
        "hammer,saw,drill,shovel,rake:tool",
        "chair,sofa,table,bench,desk,stool:piece of furniture",
        "coffee,tea,juice,lemonade:a drink",
        "jacket,sweater,dress,skirt,coat,shirt:piece of clothing",
        "pizza,soup,salad,pasta,sandwich:food",
        "hammering,sawing,drilling:working",
        "jogging,sprinting,running,strolling,walking,crawling:moving",
        "whispering,shouting,chatting:talking",
        "sprinting,jogging:running",
        "strolling,marching,hiking:walking",
        "scarlet,crimson:red",
        "novel,textbook,cookbook:book",
        "waltzing,tangoing:dancing",
        "mother,father:parent",
        "brother,sister:sibling",
        "beach,park,street,playground,garden:place",
        "violinist,guitarist,drummer,pianist,singer:musician",
        "sparkling wine,red wine:wine",
        "london,paris,tokyo,berlin,rome:a city",
    )
    for word in row.split(":")[0].split(",")
)

PEOPLE = tuple(
    "doctor lawyer teacher farmer baker pilot nurse singer clerk plumber painter writer guard student professor judge tailor waiter"
    " driver cook banker scientist manager athlete librarian tourist secretary senator actor president mechanic gardener potter"
    " drummer sailor neighbour coach dentist carpenter photographer fisherman shepherd ranger musician dancer".split()
)
# past, participle, -ing
DEEDS = tuple(
    tuple(row.split("/"))
    for row in (
        "saw/seen/seeing;helped/helped/helping;thanked/thanked/thanking;called/called/calling;advised/advised/advising;avoided/avoided/avoiding;"
        "admired/admired/admiring;stopped/stopped/stopping;believed/believed/believing;recommended/recommended/recommending;"
        "supported/supported/supporting;followed/followed/following;interrupted/interrupted/interrupting;paid/paid/paying;"
        "introduced/introduced/introducing;recognized/recognized/recognizing;greeted/greeted/greeting;mentioned/mentioned/mentioning;"
        "contacted/contacted/contacting;encouraged/encouraged/encouraging;visited/visited/visiting;warned/warned/warning;chased/chased/chasing;"
        "photographed/photographed/photographing;invited/invited/inviting;ignored/ignored/ignoring;hired/hired/hiring;taught/taught/teaching"
    ).split(";")
)
ACTS = tuple(
    tuple(row.split("/"))
    for row in (
        "slept/sleep/sleeping;ran/run/running;danced/dance/dancing;arrived/arrive/arriving;waited/wait/waiting;laughed/laugh/laughing;left/leave/leaving;"
        "shouted/shout/shouting;sang/sing/singing;swam/swim/swimming;smiled/smile/smiling;resigned/resign/resigning;agreed/agree/agreeing;"
        "apologized/apologize/apologizing;travelled/travel/travelling;hesitated/hesitate/hesitating;fell/fall/falling;worked/work/working;"
        "yawned/yawn/yawning;returned/return/returning;whistled/whistle/whistling;won/win/winning"
    ).split(";")
)
PLACES = tuple(
    "in the garden;at the station;by the river;near the old mill;in the kitchen;behind the theatre;on the ferry;at the market;in the library;on the hill;"
    "at the bus stop;in the courtyard;beside the fountain;under the bridge;at the harbour;in the waiting room;on the balcony;at the bakery".split(";")
)
NAMES = tuple(
    "Amina Bruno Carla Deepak Elif Farid Greta Hassan Ingrid Jamal Keiko Luis Marta Nadia Olek Priya Quentin Rosa Sven Tomoko Umar Vera Wanda Ximena Yusuf"
    " Zoe Anton Bea Chidi Dalia Emre Fiona Goran Helga Imani Jonas Kofi Leila Mateo Nkechi".split()
)
THINGS = tuple(  # singular, plural
    tuple(row.split("/"))
    for row in (
        "apple/apples;chair/chairs;letter/letters;ticket/tickets;window/windows;lamp/lamps;cup/cups;book/books;shirt/shirts;boat/boats;tree/trees;"
        "basket/baskets;key/keys;coin/coins;photo/photos;plate/plates;candle/candles;blanket/blankets;bottle/bottles;flower/flowers;drum/drums;sheep/sheep;"
        "horse/horses;pupil/pupils;guest/guests;runner/runners;bicycle/bicycles;melon/melons;painting/paintings;stone/stones"
    ).split(";")
)
# past, base, participle: what one can do with any of THINGS
HANDLING = tuple(
    tuple(row.split("/"))
    for row in (
        "counted/count/counted;painted/paint/painted;moved/move/moved;photographed/photograph/photographed;noticed/notice/noticed;found/find/found;"
        "described/describe/described;drew/draw/drawn;saw/see/seen;counted/count/counted;mentioned/mention/mentioned"
    ).split(";")
)
TRAITS = tuple(
    "old;wet;new;blue;green;dusty;heavy;small;striped;broken;clean;expensive;warm;wooden-looking;bright;strange;tired;ready;lost;loud".split(";")
)
NUMBERS = tuple("two three four five six seven eight nine ten eleven twelve".split())
FILLERS = tuple(  # true whatever happens: they must not move a label
    "and up is not down;and a triangle has three sides;and water is wet;and no circle is square;and ice is cold;and a day has an hour in it;"
    "and nothing is both round and square;and never is not always;and not everything is green;and nobody is two people at once;"
    "and iron is not wood;and yes is not no;and two is less than three;and today is not tomorrow;and north is not south".split(";")
)
SCENES = tuple(  # sentences about other people and things, to stand between the reader and the fact
    "A kettle whistles in another house.;Far away, a tram turns a corner.;The radio is playing an old song.;Some clouds drift past.;"
    "A poster for a circus hangs on a wall somewhere.;Elsewhere a clock strikes.;A newspaper lies on a step.;There is a smell of bread in the air.;"
    "A flag is flapping on a distant roof.;Somebody's umbrella has been left on a rail.;A postcard from the coast is pinned to a board.;The tide is going out.".split(
        ";"
    )
)
