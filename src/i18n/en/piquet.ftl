ready = Your node is running. It listens at { $listen }
what-next = What next: make a group with `piquet group create NAME`, or join one with `piquet join CODE`, in another terminal.
made-profile = Your profile is in { $home }
after-init = What next: start your node with `piquet`.
passphrase-changed = The passphrase of the profile in { $home } has changed.
duress-set = From now on your duress passphrase destroys the profile in { $home } wherever a passphrase is asked for, at once and for good, and opens an empty one. A running node asks for none: end it with `piquet lock` before somebody can sit down at it.
duress-removed = No duress passphrase works for the profile in { $home } any more.
duress-advice = Whoever types a duress passphrase destroys this profile: choose words that you will not type by mistake, and tell nobody. They must be as good as the first: somebody with a copy of the disk could guess a PIN, and know that it is there.
locked = Locked: no node runs with the profile in { $home } any more, and its keys are gone from memory.
nothing-to-lock = No node is running with the profile in { $home }: there is nothing to lock.
unprotected-profile = This profile has no passphrase: whoever has this laptop can read everything in it.
code-without-address = No node is running here, so the code tells no address: it works only for somebody who reaches this laptop otherwise, on one network with `piquet up --lan`. Start `piquet` first, then make a code.
offline = Saved on this disk. Nothing was sent yet: it goes out when `piquet` runs.
done = Done.
removed = { $name } is out, and the keys have changed.
removed-readable = Assume copied what was there to read since { $since }: { $messages ->
    [one] one message
   *[other] up to { $messages } messages
}, { $grievances ->
    [one] one grievance
   *[other] { $grievances } grievances
}, { $calls ->
    [one] one strike call
   *[other] { $calls } strike calls
}, and the names and addresses of { $members } members.
left = You have left { $name }. What you wrote there stays with its members.
never = –
a-group = GROUP
passphrase-advice = Six random words protect a profile; a PIN does not. Nobody can reset a forgotten passphrase: write it on paper. These were drawn just now, for you alone:
backup-advice = Whoever has the file and its passphrase reads everything in it, for ever: take words of its own, and write them on paper. These were drawn just now, for you alone:
passphrase-ask = Passphrase:{" "}
backup-passphrase-ask = Passphrase of the backup:{" "}
phrase-ask = The twelve words of your recovery phrase:{" "}
phrase-check = Word { $number }:{" "}
name-ask = What are groups to call you? (no real name needed; nothing: “member”){" "}
passphrase-wrong = That passphrase does not open this profile. Try again.
passphrase-new = New passphrase:{" "}
passphrase-again = Again:{" "}
leave-question = You founded { $name }: once you have left, nobody can admit or remove anybody there any more. Type `leave` to go on:
wipe-question = This destroys the profile in { $home } for good. Type `wipe` to go on:
wiped = The profile is destroyed. An SSD may keep old blocks for a while; copies elsewhere are not touched.
backup-written = { $file } holds { $groups ->
    [one] one group
   *[other] { $groups } groups
} and { $entries } entries, to read. It has no key to write with and does not replace your recovery phrase. Keep it where no laptop is.
backup-left-out = { $name } is not in it: it can't be read here, or is too large.
restored = { $groups ->
    [one] One group
   *[other] { $groups } groups
} and { $entries } entries of { $file } are here to read.
restored-next = This laptop is in no group and writes nothing there. Start `piquet`, then come back: as the same member by `piquet recovery join CODE` with your phrase, or by a code that “piquet device add” makes on another laptop of yours; as a new one with a new invite code.

status-running = Running, listening at { $listen }. { $peers ->
    [one] One peer connected.
   *[other] { $peers } peers connected.
}
status-not-running = No node is running: start it with `piquet`.
status-group = { $name } ({ $kind }): { $members ->
    [one] one member
   *[other] { $members } members
}, { $entries } entries, { $peers } connected, last heard { $heard }
status-proposal = A proposal waits for your signature: `piquet proposal show { $group } { $id }`
status-waits-for-keys = { $group }: this laptop lacks the keys that others write with, and has asked for new ones. Leave the node running while others are there; what you write is kept and read.
status-fell = { $count ->
    [one] One decision that enough had signed does not stand any more, because it rests on somebody put out since: see `piquet proposal list { $group }`, and do it again in your own name if it is right.
   *[other] { $count } decisions that enough had signed do not stand any more, because they rest on somebody put out since: see `piquet proposal list { $group }`, and do them again in your own name if they are right.
}
status-waiting = { $name } waits in { $group }: more people came by one code than it was made for, so somebody saw it. Let { $name } in with a code of their own if you know them.
status-pending = { $count ->
    [one] One log waits for an entry that is not here yet.
   *[other] { $count } logs wait for entries that are not here yet.
}
status-equivocator = { $group }: { $name } signed two different entries for one place: somebody holds a copy of that laptop, or is not honest. Ask { $name } in person; a key-holder can put that member out: `piquet group remove`.
status-silent = { $group }: { $name }, who holds the keys, has written nothing for { $days } days and is not connected. Ask after { $name }; if need be a majority gives the keys to somebody else: `piquet group role { $group } MEMBER keyholder`
status-no-phrase = { $group }: your recovery phrase is not set here: `piquet recovery set`
status-excess = { $name } has written more than is fetched of anybody in so few days: the rest is fetched on later days. If that is no mistake, remove { $name }.
status-joining = { $count ->
    [one] One code is waiting for somebody who may let you in.
   *[other] { $count } codes are waiting for somebody who may let you in.
}
frozen-rolled-back = { $group }: this profile is an old copy of one that has written since. It writes nothing there any more. Ask for a new invite code.
frozen-needs-newer = { $group }: somebody uses a newer piquet. Update piquet to go on writing there.
frozen-mending = { $group }: records of this profile were lost. It writes here again once a member was reached who has shown what it has.
frozen-taken-out = { $group }: this laptop was taken out. You are a member still, on your other laptops; if you have none, by `piquet recovery join` on a new one.
frozen-ended = { $group }: you are not a member any more.
frozen-restored = { $group }: out of a backup, to read. This laptop is not in it: come back by `piquet recovery join CODE`, by a code that “piquet device add” makes on another laptop of yours, or with a new invite code.

group-members = { $count ->
    [one] { $count } member
   *[other] { $count } members
}
group-words = Its words, for whoever joins to compare: { $words }
group-draft = Draft: its founder alone admits and removes. Decisions by several need a founded group: `piquet group found`
group-chat = Messages are kept for { $days } days here, then nothing on this laptop opens them, once the keys have changed since. Laptops that were away keep them for as long after they came back.
group-group = Founded: its key-holders decide together. What waits for signatures: `piquet proposal list { $name }`
verified = met in person
devices = { $count ->
    [0] no laptop
   *[other] { $count } laptops
}
device-here = this laptop
device-dropped = { $device } is taken out for ever and speaks for { $name } no more. Who has heard of it writes nothing to it; what it could read until now, take as copied.
device-code = Type this on the other laptop, after “piquet join”. Whoever uses it first speaks as you: show it to nobody. It is shown once, opens once, and until { $expires }; `piquet invite revoke { $group } { $invite }` closes it before.
recovery-set = { $name }: the phrase is set.
recovery-nowhere = You are in no group yet. Once you are: `piquet recovery set`
recovery-kept = { $name }: a phrase was set before and stays: that one alone brings you back there.
phrase-write = Write these twelve words on paper, and keep it where no laptop is. Whoever has them can come in as you, seen by all. Nobody can show them again, and no other phrase can take their place.
vouched-by = vouched for by { $names }
verification-read = Read aloud to { $name }, who sits beside you: { $words }
verification-hear = Then type the words that { $name } reads from their own screen: `piquet group verify { $group } { $member } --heard "WORDS"`
verification-done = { $name } is the one you have met. This mark stays on your laptop. To vouch for them before all: `piquet group verify { $group } { $member } --vouch`
verification-vouched = { $name } is the one you have met, and the group sees that you vouch for them.
no-keys-yet = has no keys yet: can't read what is written now
role-votes = votes
proposal-found = { $author } proposes to make a group of this draft; key-holders: { $about }
proposal-expel = { $author } proposes to put out for good: { $about }
proposal-demote = { $author } proposes to take the keys from { $about }
proposal-promote = { $author } proposes to give the keys to { $about }
proposal-enrol = { $author } proposes that these vote: { $about }
proposal-rule = { $author } proposes the rule: { $about }
proposal-remove = { $author } proposes to put out: { $about }
proposal-revoke = { $author } proposes to close the code { $about }
proposal-admit = { $author } proposes to let in: { $about }
proposal-dismiss = { $author } proposes to close the proposal { $about }
proposal-other = { $author } proposes something
proposal-state-open = open: { $signed } of { $needed } have signed
proposal-state-decided = decided: { $signed } have signed, { $needed } had to
proposal-state-dismissed = dismissed
proposal-state-fallen = does not stand any more: it rests on somebody put out since
proposal-waits = Your signature would count: `piquet proposal approve { $group } { $id }`. A signature is for ever.
proposal-signers = Signed by: { $names }
proposal-channel-council = The key-holders decide by majority.
proposal-channel-roll = All who vote decide by majority.
no-proposals = Nothing waits for several signatures.
kind-draft = draft
kind-group = group
role-keyholder = key-holder
role-member = member
role-none = not a member
invited-by = let in by { $name } on { $date }
founded = here from the start, on { $date }
let-in = { $count ->
    [one] let one in
   *[other] let { $count } in
} ({ $share } % of all)
last-heard = last heard { $time }
that-is-you = (you)

code-open = open
code-used = used
code-expired = expired
code-revoked = revoked
code-facts = used { $used } of { $uses }, until { $expires }, by { $issuer }
join-preview = This code is for the group { $words }, until { $expires } at most. Compare these words with who gave it to you; Ctrl-C if they differ.
join-joined = You are in { $name }. Its words: { $words }
join-waiting = Waiting for somebody who may let you in to { $words }.
state-saved = saved on this disk
state-delivered = delivered to { $delivered } of { $of }
message-edited = corrected
message-retracted = taken back

no-groups = No groups yet: `piquet group create NAME`, or `piquet join CODE`.
no-messages = No messages yet.
no-invites = No codes yet: `piquet invite GROUP`.
no-grievances = No grievances yet.
no-strikes = No strike calls.

grievance-support = { $count ->
    [one] { $count } more
   *[other] { $count } more
}
grievance-comparable = { $kind }, { $unit } { $per }: { $count } figures on this matter, median { $median }, from { $min } to { $max }

strike-pledging = pledging
strike-closed = pledging closed
strike-under-way = under way
strike-ended = ended
strike-called-off = CALLED OFF
strike-reason = Called off: { $reason }
leg-threshold = { $threshold } asked for here
leg-doubtful = The caller wrote { $local } for this place: by this laptop's clocks that is another moment. Ask before you go by it.
strike-pledges = { $count } pledged, { $threshold ->
    [0] no threshold
   *[other] { $threshold } asked for
}
strike-hidden = Pledges are hidden until five, or the close; { $threshold ->
    [0] no threshold
   *[other] { $threshold } asked for
}
strike-closes = Pledging ends { $time } ({ $zone }).
strike-mine = You have pledged.
strike-mine-changed = You have pledged. The call was changed: your pledge counts for what it says now, unless you take it back (`--withdraw`).
strike-conflicting = There are two versions with the same number: ask who called.
strike-caller = Called by { $name } ({ $id }), { $mandate }.
mandate-founder = who founded this group and has the mandate
mandate-none = who has no mandate here any more
strike-off-by = Called off by { $name } ({ $id }), { $mandate }.
strike-verified = Its signature was checked just now, on this laptop: it holds.
strike-not-verified = Its signature can't be checked on this laptop: don't go by it. `piquet doctor` says more.
strike-version = Version { $sequence }, good until { $expires } ({ $zone }).
strike-counters = The counters named here can see who pledged; other members and outsiders can't; erased at the close: { $names }
form-log-off = Log off
form-refuse-orders = Refuse orders
form-set-resting = Set yourself to resting
form-some-orders = Take only some orders
form-go-slow = Go slow
form-picket = Picket
form-motorcade = Motorcade
form-no-tasks-from-requester = No tasks from the requester
form-letter-day = Letter day

cat-pay-below-rate = pay: below the rate
cat-pay-unpaid-or-rejected = pay: unpaid or rejected work
cat-pay-waiting = pay: waiting
cat-pay-distance = pay: distance
cat-pay-grouped-orders = pay: grouped orders
cat-pay-bonus = pay: bonus
cat-pay-tips = pay: tips
cat-pay-deductions = pay: deductions
cat-pay-late = pay: late
cat-pay-expenses = pay: expenses
cat-account-deactivated = account: deactivated
cat-account-suspended = account: suspended
cat-account-id-check = account: identity check
cat-account-rating = account: rating
cat-account-locked-out = account: locked out
cat-account-customer-complaint = account: customer's complaint
cat-algorithm-dispatch = algorithm: who gets the work
cat-algorithm-pay-change = algorithm: change of pay
cat-algorithm-monitoring = algorithm: monitoring
cat-algorithm-no-human-review = algorithm: no review by a human
cat-algorithm-data-refused = algorithm: data refused
cat-safety-accident = safety: accident
cat-safety-equipment = safety: equipment
cat-safety-weather = safety: weather
cat-safety-assault = safety: assault
cat-safety-psychological = safety: psychological
cat-respect-discrimination = respect: discrimination
cat-respect-harassment = respect: harassment
cat-respect-no-reply = respect: no reply
cat-retaliation = retaliation
cat-contract-change = contract: change
cat-contract-nda = contract: secrecy clause
cat-contract-status = contract: status
cat-other = other

amount-paid = paid
amount-expected = expected
amount-owed = owed
amount-deducted = deducted
amount-tip = tip
amount-bonus = bonus
amount-hours = hours
amount-waiting = waiting
amount-km = distance
amount-tasks = tasks
per-task = a task
per-hour = an hour
per-day = a day
per-week = a week
per-month = a month
per-total = in total
basis-document = by a document
basis-measured = measured
basis-estimate = estimated
every-day = every day
every-week = every week
every-month = every month
every-task = with every task
support-same = the same happened
support-witness = witness
support-document = document

event-members-in = { $name }: { $by } let somebody in: { $member }.
event-members-out = { $name }: { $by } put { $who } ({ $member }) out.
event-members-expelled = { $name }: { $who } ({ $member }) was put out for good by a majority.
event-proposal = { $name }: { $who } proposes something that several have to sign: `piquet proposal show { $group } { $id }`
event-founded = { $name } is a group from here on: its key-holders have agreed. This node moves there by itself.
event-members-left = { $name }: { $who } ({ $member }) has left.
event-members-fell = { $name }: { $who } ({ $member }) is not a member any more: what let them in does not stand.
event-rekeyed = { $name }: the laptop of { $who } ({ $member }) has new keys. If that is a surprise, ask them by another way: whoever has stolen a laptop's key could have done it.
event-rekeyed-self = { $name }: this laptop has new keys and reads on from here.
event-named = { $name }: { $member } goes by the name { $who }.
event-device-linked = { $name }: { $who } ({ $member }) has one more laptop: { $device }. If that is a surprise, ask them by another way.
event-device-linked-self = { $name }: one more laptop speaks for you: { $device }. If it is none of yours: `piquet device drop { $group } { $device }`
event-device-dropped = { $name }: a laptop of { $who } ({ $member }) was taken out: { $device }.
event-joined = You are in { $name }.
event-disk-full = The disk is full: everything that is there can be read, nothing new is kept. Make room; the node goes on by itself.
event-disk-failing = The disk refuses to keep anything new. Look at it; the node goes on by itself once it can.
event-disk-again = The disk takes new things again. What was missed is fetched.
event-taken-out = { $name }: this laptop was taken out. You are a member still, on your other laptops.
event-removed = { $name }: you are not a member any more.
event-call = { $name }: STRIKE CALL by { $who }: { $title }. Look where it came from, then pledge: `piquet strike show { $group } { $id }`
event-call-changed = { $name }: the strike call “{ $title }” was changed: `piquet strike show { $group } { $id }`
event-call-off = { $name }: the strike call “{ $title }” was CALLED OFF: `piquet strike show { $group } { $id }`
event-grievance = { $name }: { $who } filed a grievance about { $platform }: `piquet grievance show { $group } { $id }`
event-equivocation = { $name }: { $who } ({ $member }) signed two different entries for one place.
event-rolled-back = { $name }: this profile is an old copy. It writes nothing there any more.
event-needs-newer = { $name }: something needs a newer piquet.
event-group-full = { $name }: somebody with a good code was not let in: the group is full, for its keys would not fit into one message any more.

doctor-journal = These records can't be read any more and were given up; all others are unharmed. What members have is fetched again while `piquet` runs. Look at the disk: it may be failing.
doctor-disk = There is hardly any room left on this disk: make some, else nothing new is kept.
doctor-erasure = Something that was erased is still on the disk, because it refused; it is tried again with the next message and at the next start.
doctor-folder = Other users of this laptop can get at the profile's folder: make it yours alone (`chmod 700`), or move it into a folder that is.
doctor-memory = Some keys may reach the swap file: this system lets no more memory be locked.
doctor-daemon = No node is running: start it with `piquet`.
doctor-group = See `piquet status`: it says what each group needs.
doctor-closed = What this group stands on can't be read any more: ask a member for a new invite code, and what is readable is found again.

err-no-profile = There is no profile here.
rec-no-profile = Make one and start your node with `piquet`, or make one only with `piquet init`.
err-profile-exists = There is a profile here already.
rec-profile-exists = Use another folder with `--home`, or `piquet wipe` this one.
err-profile-locked = Another process is using this profile.
rec-profile-locked = Wait for it; a running node ends with `piquet lock`.
err-wrong-passphrase = The passphrase does not open this profile.
rec-wrong-passphrase = Try again; nobody can reset it.
err-newer-version = A newer piquet wrote this profile.
rec-newer-version = Update piquet.
err-profile-damaged = The keys of this profile are damaged.
rec-profile-damaged = Keep the folder as it is, make a new profile and ask for new invite codes.
err-header-damaged = The header of this profile can't be read: the way from the passphrase to the keys is lost, and with it everything in the profile.
rec-header-damaged = `piquet wipe`, make a new profile and ask for new invite codes; what you wrote is with the others.
err-vault-damaged = The keys of this profile can't be read: nothing that is kept here can be opened without them.
rec-vault-damaged = If the disk comes back, try again. Else `piquet wipe`, make a new profile and ask for new invite codes; what you wrote is with the others.
err-disk = The disk does not answer.
rec-disk = Look at the disk; nothing of this command was kept.
err-disk-full = The disk is full. Nothing of this command was kept; everything before is there.
only-reading = The disk is full. Everything that is there can be read, nothing new is kept: make room.
rec-disk-full = Make room and try again.
err-read-only = This folder can't be written.
rec-read-only = Look at its permissions and at how its disk is mounted; nothing was changed.
err-home-is-file = The home given is a file, not a folder.
rec-home-is-file = Give a folder with `--home DIR`.
err-no-memory = There is not enough memory to try the passphrase.
rec-no-memory = Close other programs and try again.
err-damaged = A record can't be read; the rest can.
rec-damaged = `piquet doctor` says which. What others have comes back by syncing.
err-no-home = This system names no folder for profiles.
rec-no-home = Say where with `--home DIR`.
err-no-state = This machine's state folder can't be used.
rec-no-state = Look at its permissions.
err-no-terminal = A passphrase is needed, and there is no terminal to ask on.
rec-no-terminal = Set PIQUET_PASSPHRASE_FILE, or make an unprotected profile with `--no-passphrase`.
err-same-passphrase = That is this profile's other passphrase: one opens it, the other destroys it.
rec-same-passphrase = Choose other words.
err-no-passphrase = This profile has no passphrase, so there is none to ask for in its place.
rec-no-passphrase = Set one first: `piquet passphrase`.
err-not-locked = A program goes on using this profile and has its keys in memory.
rec-not-locked = End that program, or turn the laptop off.
err-empty-passphrase = The passphrase is empty.
rec-empty-passphrase = Six random words are good; `--no-passphrase` makes an unprotected profile.
err-passphrases-differ = The two passphrases are not the same.
rec-passphrases-differ = Try again.
err-passphrase-file = The passphrase file can't be read.
rec-passphrase-file = Look at PIQUET_PASSPHRASE_FILE, or for a backup at PIQUET_BACKUP_PASSPHRASE_FILE.
err-bad-phrase = These are not the words of a recovery phrase: one is missing, unknown or in the wrong place.
rec-bad-phrase = Look at the paper again: twelve words, in their order.
err-phrase-file = The phrase was not written to { $file }: a file is there already, or the folder can't be written to. Nothing was set.
rec-phrase-file = Name a file that does not exist yet.
err-backup-exists = { $file } is there already.
rec-backup-exists = Name a file that does not exist yet.
err-backup-not-written = { $file } can't be written. There is no backup.
rec-backup-not-written = Look at the folder: whether it is there, is yours and has room.
err-backup-not-read = { $file } can't be read.
rec-backup-not-read = Look at its name and permissions.
err-backup-too-large = There is more here than a backup takes: a gigabyte.
rec-backup-too-large = Copy the profile's folder instead; a copy opens with the passphrase, and is not to be used beside this profile.
err-bad-recipient = That is no age recipient.
rec-bad-recipient = It looks like age1… and stands in the key's file; without `--recipient` a passphrase is asked for.
err-bad-identity = { $file } has no age key that can be used.
rec-bad-identity = Give the file that `age-keygen` made: it has a line AGE-SECRET-KEY-1….
err-backup-damaged = This is no whole backup: it is damaged, cut short, or something else. Nothing was made of it.
rec-backup-damaged = Try another copy of the file.
err-newer-backup = A newer piquet wrote this backup. Nothing was made of it.
rec-newer-backup = Update piquet.
err-backup-passphrase = The passphrase does not open this backup.
rec-backup-passphrase = Try again; nobody can reset it.
err-backup-for-key = This backup was written for an age key, not for a passphrase.
rec-backup-for-key = Name the file with the key: `--identity FILE`
err-backup-identity = This key does not open the backup.
rec-backup-identity = Find the key that it was written for.
err-no-backup-passphrase = The passphrase of the backup is needed, and there is no terminal to ask on.
rec-no-backup-passphrase = Set PIQUET_BACKUP_PASSPHRASE_FILE to a file that holds it.
err-not-written-down = That is not the word. Nothing was set.
rec-not-written-down = piquet recovery new
err-this-device = That is this very laptop.
rec-this-device = Take it out from another one of yours, or leave: `piquet group leave { $group }`
err-not-your-device = That laptop is another member's.
rec-not-your-device = Whoever has that member's recovery phrase adds `--phrase`.
err-not-confirmed = Nothing was done.
rec-not-confirmed = Say `--yes` to do it without a question.
err-still-running = The profile is gone from the disk, but a program that used it still runs and has it in memory.
rec-still-running = End that program, or turn the laptop off.
err-already-running = A node is already running with this profile.
rec-already-running = piquet status
err-daemon-gone = The running node went away before it had answered.
rec-daemon-gone = Try again; `piquet status` says what was kept.
err-no-network = The network can't be used.
rec-no-network = Look at the addresses after `--listen`.
err-no-socket = The control socket can't be made.
rec-no-socket = Look at the permissions of the profile folder.
err-bad-address = { $address } is not an address.
rec-bad-address = Write it like /ip4/0.0.0.0/tcp/4001.
err-bad-request = The node did not understand this command.
rec-bad-request = Use the same version of piquet for both.
err-bad-name = A name has 1 to 64 bytes, without control characters.
rec-bad-name = Choose another name.
err-bad-field = This does not fit: “{ $field }” is empty, longer than { $max } bytes, or has characters that don't belong there.
rec-bad-field = { $command } --help
err-bad-value = This does not fit: too many of something, or something twice.
rec-bad-value = { $command } --help
err-no-such-group = There is no group { $name }.
rec-no-such-group = piquet group list
err-no-such-member = There is no member { $name }.
rec-no-such-member = piquet group members { $group }
err-no-such-invite = There is no code { $name }.
rec-no-such-invite = piquet invite list { $group }
err-no-such-device = There is no laptop { $name } in the group.
rec-no-such-device = piquet device list { $group }
err-no-such-grievance = There is no grievance { $name }.
rec-no-such-grievance = piquet grievance list { $group }
err-no-such-call = There is no strike call { $name }.
rec-no-such-call = piquet strike list { $group }
err-no-such-message = There is no message { $name }.
rec-no-such-message = piquet read { $group } --json
err-not-yours = Another laptop wrote this message: only the one that did can correct it or take it back.
rec-not-yours = piquet read { $group } --json
err-nothing-said = This laptop has said nothing here that is not taken back.
rec-nothing-said = piquet read { $group }
err-no-text = A message can't be corrected to nothing.
rec-no-text = It can be taken back: `piquet retract { $group }`
err-not-found = That is not there.
rec-not-found = piquet status
err-ambiguous = { $name } means more than one: { $candidates }.
rec-ambiguous = Write more of it, or the id.
err-not-allowed = You may not do this here: it is for key-holders (in a draft, the founder), or for others than those it is about.
rec-not-allowed = Who holds the keys stands in this list: `piquet group members { $group }`
err-keyholder = One hand can't remove a key-holder.
rec-keyholder = Found a group to decide such things together.
err-council = A group needs two key-holders at least, and has 32 at most. Five are better: nothing hangs on one person then.
rec-council = piquet group found { $group } --keyholder MEMBER --keyholder MEMBER
err-founded-already = This is a founded group already.
rec-founded-already = piquet group show { $group }
err-draft = In a draft nothing is decided by several.
rec-draft = piquet group found { $group } --keyholder MEMBER --keyholder MEMBER
err-decided = That is decided, dismissed or void already.
rec-decided = piquet proposal list { $group }
err-not-the-same = These are not the words. Read them again; if they still differ, the member of this name in the group is not the one in front of you. Tell the others.
rec-not-the-same = piquet group members { $group }
err-not-verified = You vouch for whom you have met: compare the words first.
rec-not-verified = piquet group verify --help
err-no-vouch-needed = Nobody has to vouch for this member: it is here from the start, or by a vote.
rec-no-vouch-needed = piquet group members { $group }
err-bad-rule = There is no such rule: { $rule }.
rec-bad-rule = piquet group rule --help
err-no-such-proposal = There is no proposal { $name }.
rec-no-such-proposal = piquet proposal list { $group }
err-already-member = You are in this group already.
rec-already-member = piquet group list
err-bad-code = This is no invite code, or it is mistyped.
rec-bad-code = Compare it character by character, or scan it.
err-newer-code = This code was made by a newer piquet.
rec-newer-code = Update piquet.
err-code-expired = This code has expired.
rec-code-expired = Ask for a new one.
err-code-used = This code was used as often as allowed. If not by you, somebody saw it.
rec-code-used = Tell who gave it to you, and ask for a new one.
err-code-revoked = This code was revoked.
rec-code-revoked = Ask for a new one.
err-nobody-reached = Nobody who may let you in was reached in time.
rec-nobody-reached = The code is kept: it goes on whenever `piquet` runs, until it expires. `piquet status` says how it stands.
err-nobody-asked = No node is running: nobody was asked yet. The code is kept.
rec-nobody-asked = piquet up
err-no-node = No node is running: nothing new can come.
rec-no-node = piquet up
err-follow-ended = The node went on without this reader, which was too slow.
rec-follow-ended = piquet read { $group } --follow --since ID
err-too-long = A message has at most { $bytes } bytes.
rec-too-long = Send it in parts.
err-not-text = What came in is not text in UTF-8.
rec-not-text = Send text: other files can't be sent yet.
err-group-full = This group is full: its keys would not fit into one message any more.
rec-group-full = Make room with `piquet group remove`, or make another group: `piquet group create NAME`
err-too-late = It is too late for that: the call has closed its pledges, ended, or been called off.
rec-too-late = piquet strike list { $group }
err-closes-late = Pledging must end before the first start.
rec-closes-late = Choose an earlier `--closes`.
err-closes-past = { $time } is past: nobody could pledge.
rec-closes-past = Choose a later `--closes`, or leave it out.
err-start-past = { $time } is past.
rec-start-past = Choose a `--start` that lies ahead.
err-bad-leg = A leg needs zone, place, start and end, and must end after it starts.
rec-bad-leg = Write it like "Europe/Paris;Lyon;2026-12-04T18:00;2026-12-04T22:00;40".
err-bad-time = { $time } is not a time.
rec-bad-time = Write it like 2026-12-04T18:00, without an offset: the zone says the rest.
err-bad-zone = { $zone } is not a time zone.
rec-bad-zone = Write it like Europe/Paris.
err-no-such-time = { $time } is not one moment in { $zone }: the clocks change then, and skip or repeat it.
rec-no-such-time = Choose a time an hour earlier or later.
err-bad-amount = { $amount } is not an amount.
rec-bad-amount = Write it like paid=4.50EUR/task or hours=7h/day:measured; `piquet grievance file --help` lists all kinds.
err-unknown-currency = ISO 4217 knows no currency “{ $currency }” ({ $amount }).
rec-unknown-currency = Write its three letters, such as EUR, KES, BRL, INR: paid=4.50EUR/task.
err-bad-decimals = { $currency } has { $decimals ->
    [0] no digits
    [one] one digit
   *[other] { $decimals } digits
} after the point.
rec-bad-decimals = Round it to what can be paid.
err-bad-when = { $when } is not a date, or its days don't exist or go backwards.
rec-bad-when = Write it like 2026-11-20, 2026-11, 2026 or 2026-11-03..2026-11-20.
err-coordinates = Coordinates show where somebody was to the metre.
rec-coordinates = Name the city, and a zone's label if need be: --place "Lyon, Part-Dieu".
err-own-grievance = This grievance is yours: it counts already.
rec-own-grievance = piquet grievance list { $group }
err-rolled-back = This profile is an old copy of one that has written since: it writes nothing here any more.
rec-rolled-back = Ask for a new invite code and join again.
err-needs-newer = Somebody uses a newer piquet here.
rec-needs-newer = Update piquet to go on writing.
err-mending = Records of this profile were lost, perhaps your own newest messages: nothing is written here before a member has shown what it has of them.
rec-mending = Start `piquet` and let it reach a member; `piquet doctor` says how far it is. If nobody has them, ask for a new invite code.
err-group-damaged = What this group stands on can't be read any more.
rec-group-damaged = Ask a member for a new invite code: what is still readable is found again.
err-restored = This group comes out of a backup: this laptop is not in it and writes nothing here.
rec-restored = Come back by `piquet recovery join CODE`, by a code that “piquet device add” makes on another laptop of yours, or with a new invite code.
err-ended = You are not a member any more.
rec-ended = Ask for a new invite code.
err-rekeying = The group is being re-keyed after somebody left or was removed.
rec-rekeying = Try again in a moment.
err-no-keys = This profile has no keys for this group.
rec-no-keys = Ask for a new invite code.

usage-unknown-argument = There is no { $arg } here.
usage-unknown-command = There is no command { $command }.
usage-missing = Something is missing: { $arg }.
usage-missing-command = A command is missing.
usage-missing-value = { $arg } needs a value.
usage-bad-value = { $value } does not fit { $arg }.
usage-bad-span = { $value } is no span of time: write { $arg } like 60s, 5m, 1h or 7d.
usage-long-span = { $value } is too long a time for { $arg }.
usage-no-span = A code must be good for some time: write { $arg } like 60s, 5m, 1h or 7d.
usage-conflict = { $arg } can't be used with { $prior }.
usage-not-text = What was typed is not text in UTF-8.
usage-other = That can't be typed so.
usage-did-you-mean = Did you mean { $what }?
usage-one-of = It is one of: { $what }.
