/**
 * Code words: the 512 words of spoken codes, 9 bits each.
 *
 * Short, common and concrete English words of four to eight letters, of which no two are less than two slips apart, so that a
 * mistyped letter is noticed and the word that was meant can be named. Their order is of no meaning on the wire, for a code is
 * compared as it is read; both ends need the same words to help, not to agree.
 */
export const CODE_WORDS: readonly string[] = `
acorn actor admiral album almond alpine amber anchor angle antler apple apron arcade arch arrow artist asphalt atlas attic
autumn avenue award bacon badge bagel bakery balcony bamboo banana bandage banjo barley barrel basil basket bathtub battery
beach beard beaver bedroom beetle berry bicycle biscuit bishop blanket blizzard blossom blouse bonfire bottle boulder bowler
bracelet bread breeze brick bridge bronze broom brunch brush bubble bucket buckle buffalo bugle bundle bushel butler button
cabbage cabin cactus camel camera campus canal candle canoe canvas canyon captain caramel caravan carbon cardinal carpet carrot
castle cavern cedar celery cello cement century chalk channel chapel chariot cheese cherry chess chestnut chicken chimney chorus
cider cinema cinnamon circle circus citrus clarinet clay cliff clock cloud clover coast cobalt cobbler cocoa coconut coffee
collar comet compass concert copper coral corner cottage cotton cougar courage cousin cradle crater crayon cricket crocus crown
crystal cupboard curtain cushion custard cymbal daffodil dairy dancer decade delta denim dentist diamond dinner dinosaur doctor
dolphin domino donkey doorway dragon drawer dream drizzle drum duchess dungeon eagle earth echo eclipse editor elbow elephant
elevator elixir emerald empire engine envelope estate evening fabric factory family fanfare farmer feather fence ferret festival
fiddle field finger flagon flamingo flood flute forest forge fortune fossil fountain freckle freight fresco fruit funnel furnace
galaxy galleon garage garden gargoyle garlic gazelle geyser giant giraffe glacier glass globe goggles gondola gorilla granite
gravel guava guitar gymnast haddock hamster harvest hatchet helium helmet heron hexagon hickory highway holiday horizon hornet
hostel hunter husky hyena iceberg igloo index insect island ivory jaguar jasmine jersey jewel jigsaw journey juniper kangaroo
kayak kernel keyboard kidney kingdom kiosk kitchen knuckle koala ladder lantern laptop laundry lavender lecture legend leopard
library lilac linen lobster locket lotus machine magenta magpie mailbox mansion marble margin mascot mattress mayor meadow
melody mercury mermaid meteor midnight mimosa mineral mirror mitten mobile monarch moose morning mosaic mosquito muffin muscle
museum mushroom napkin nectar nephew nickel nomad noodle north notebook nougat nugget nutmeg oatmeal obelisk ocean octopus
office olive onion opera orange orchard oregano ostrich otter outfit oxygen palace pancake panda panther papaya paper parcel
parsnip pasture pavement peacock peanut pelican pencil penguin perfume picnic pigeon pillow pioneer pirate plaster plaza poem
pollen poppy porridge postcard potato powder prairie prism pumpkin puppet purple pyramid quail quarry queen quiver rabbit
raccoon radio railway rainbow raisin rapids recipe reef reptile rhubarb ribbon ripple rooftop rosemary rubber ruby runway rustic
saffron salad sapphire sardine saturn sausage scarf school scissors scooter sculptor seagull season shampoo shelter sheriff
shovel shuttle silk silver skeleton sketch sleeve slipper smoke soccer soldier spatula spider spinach spiral sponge spoon spring
squirrel stable stadium stomach storm street student sugar summit sundial sunset swallow swamp syrup tailor teapot temple tennis
terrace thimble throne thumb tiara topaz tornado tortoise tractor traffic treasure trombone trophy truffle trumpet tulip tundra
turbine turkey tuxedo twilight umbrella unicorn vacuum vanilla vault vessel viking village vinegar violet vitamin volcano voyage
vulture waffle waiter wallet walrus wardrobe warrior wedding wheat whisper windmill window wizard wolf wombat workshop yacht
yodel yogurt zebra zenith zigzag
`.trim().split(/\s+/);
