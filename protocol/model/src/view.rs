//! Who is in: V(S) of membership.md in its five steps, for the acts that this model has.

use crate::entry::{Entry, GENESIS, History, Id, PERSONS, Person, What, first_members, founders};
use crate::set::Set;
use crate::variant::Variant;

/// V of a set of acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The acts that stand.
    pub stands: Set,
    /// The majority acts that a dismissal closed.
    pub closed: Set,
    /// For each person, what it holds an office by.
    office: [Set; PERSONS],
    /// For each person, what it is a member by.
    member: [Set; PERSONS],
}

impl View {
    /// V of no acts.
    pub fn genesis() -> Self {
        Judge { history: &History::default(), arrival: &[], set: Set::NONE, variant: Variant::Spec }.view()
    }

    /// Everybody who is in.
    pub fn members(&self) -> Set {
        holders(&self.member)
    }

    /// The key-holders.
    pub fn council(&self) -> Set {
        holders(&self.office)
    }

    /// What a person is a member by.
    pub fn rests_on(&self, person: Person) -> Set {
        self.member[usize::from(person)]
    }

    fn grounds(&self, person: Person, right: Right) -> Set {
        match right {
            Right::Council => self.office[usize::from(person)],
            Right::Member => self.member[usize::from(person)],
        }
    }

    fn holders_of(&self, right: Right) -> Set {
        match right {
            Right::Council => self.council(),
            Right::Member => self.members(),
        }
    }
}

fn holders(grounds: &[Set; PERSONS]) -> Set {
    (0..PERSONS as Person).filter(|person| !grounds[usize::from(*person)].is_empty()).collect()
}

/// What an act asks of its signers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Council,
    Member,
}

/// `right`; none of what nobody else signs.
fn right(what: What) -> Option<Right> {
    match what {
        What::Dismiss(_) | What::Expel(_) | What::Demote(_) | What::Promote(_) | What::Remove(_) => {
            Some(Right::Council)
        }
        What::Admit(_) => Some(Right::Member),
        What::Approve(_) | What::Leave | What::Merge | What::Resync(_) | What::Commit(_) => None,
    }
}

/// Whose signature never counts under an act: of those whom it, or the verdict that it would dismiss, names (M-3).
fn barred(history: &History, what: What, variant: Variant) -> Option<Person> {
    match what {
        What::Expel(person) | What::Demote(person) => (variant != Variant::AccusedSigns).then_some(person),
        What::Dismiss(act) => barred(history, history.get(act).what, variant),
        _ => None,
    }
}

/// Whether an act that its author would make in this view changes nothing, for ever (M-1).
pub fn is_void(
    history: &History,
    author: Person,
    what: What,
    past: Set,
    view: &View,
    variant: Variant,
) -> bool {
    let seated = view.council().has(author);
    let void = match what {
        What::Dismiss(act) => !seated || !is_open_majority_act(history, act, past, view),
        What::Expel(_) | What::Demote(_) | What::Promote(_) => !seated,
        What::Remove(person) => !seated || view.council().has(person) && variant != Variant::FewUnseat,
        What::Admit(person) => is_barred(history, person, view),
        What::Approve(act) => !past.has(act) || !may_sign(history, author, act, view, variant),
        What::Leave | What::Merge | What::Resync(_) | What::Commit(_) => false,
    };
    void || !view.members().has(author)
}

/// Whether somebody was expelled, and no majority that knew it has brought him back (M-12).
fn is_barred(history: &History, person: Person, view: &View) -> bool {
    let of = |what: What| view.stands.iter().filter(move |act| history.get(*act).what == what);
    let knows = |back: Id, expulsion: Id| history.get(back).view.0.stands.has(expulsion);
    of(What::Expel(person)).any(|expulsion| !of(What::Promote(person)).any(|back| knows(back, expulsion)))
}

fn is_open_majority_act(history: &History, act: Id, past: Set, view: &View) -> bool {
    let open = past.has(act) && !view.stands.has(act);
    open && matches!(history.get(act).what, What::Expel(_) | What::Demote(_) | What::Promote(_))
}

/// Whether a person's signature under an act, made in a view, is one: may(x, a, V(a)), may(x, a, V(e)), x not barred.
fn may_sign(history: &History, by: Person, act: Id, view: &View, variant: Variant) -> bool {
    let signed = history.get(act);
    let Some(right) = right(signed.what) else { return false };
    signed.view.0.holders_of(right).has(by)
        && view.holders_of(right).has(by)
        && barred(history, signed.what, variant) != Some(by)
}

/// Judges a set of acts. Of the order in which they arrived nothing may depend: it only is one.
pub struct Judge<'a> {
    /// Where the acts are.
    pub history: &'a History,
    /// The set, each after its past.
    pub arrival: &'a [Id],
    /// The same.
    pub set: Set,
    /// By which rules.
    pub variant: Variant,
}

impl Judge<'_> {
    /// V(S).
    pub fn view(&self) -> View {
        let dismissals =
            self.those(|act| matches!(self.entry(act).what, What::Dismiss(_)) && self.is_signed(act));
        let closed = dismissals.iter().filter_map(|act| match self.entry(act).what {
            What::Dismiss(closed) => Some(closed),
            _ => None,
        });
        let closed: Set = closed.collect();
        let verdicts =
            self.those(|act| self.entry(act).is_verdict() && !closed.has(act) && self.is_signed(act));
        let grants = self.grants(closed, verdicts);
        let removals = self.removals(verdicts, grants);
        let leavings = self.those(|act| self.entry(act).what == What::Leave);
        let admissions = self.admissions(verdicts | removals, grants);
        let endings = verdicts | removals | leavings;
        let mut view = View { closed, ..View::default() };
        view.stands = dismissals | grants | admissions | endings;
        self.find_grounds(&mut view, endings, Set::one(GENESIS) | grants | admissions);
        view
    }

    /// Step 3.
    fn grants(&self, closed: Set, verdicts: Set) -> Set {
        let mut grants = Set::NONE;
        for &act in self.arrival {
            let asked = matches!(self.entry(act).what, What::Promote(_)) && !closed.has(act);
            if asked && self.authors(self.counted(act, verdicts, grants)).len() >= self.need(act) {
                grants = grants.with(act);
            }
        }
        grants
    }

    /// Step 4.
    fn removals(&self, verdicts: Set, grants: Set) -> Set {
        if self.variant == Variant::RemovalNotCounted {
            return Set::NONE;
        }
        self.those(|act| {
            let asked = matches!(self.entry(act).what, What::Remove(_));
            asked && self.authors(self.counted(act, verdicts, grants)).len() >= self.need(act)
        })
    }

    /// Step 5. What an admission rests on lies in its past, so one walk is enough.
    fn admissions(&self, endings: Set, grants: Set) -> Set {
        let mut sound = grants;
        for &act in self.arrival {
            let What::Admit(person) = self.entry(act).what else { continue };
            let counted = self.counted(act, endings, sound);
            let heavy = self.is_removed_in(person, &self.entry(act).view.0);
            if counted.iter().any(|by| !heavy || self.is_seated_signer(by, act, sound)) {
                sound = sound.with(act);
            }
        }
        sound.without(grants)
    }

    /// Whether a removal of somebody stands in a view: whoever lets him in then must be a key-holder.
    fn is_removed_in(&self, person: Person, view: &View) -> bool {
        let stands = |act: Id| self.entry(act).what == What::Remove(person);
        self.variant != Variant::AnybodyReadmits && view.stands.iter().any(stands)
    }

    /// The signatures under an act that count in steps 3 to 5.
    fn counted(&self, act: Id, endings: Set, sound: Set) -> Set {
        self.signatures(act)
            .iter()
            .filter(|by| self.is_held(*by, act, sound) && !self.is_cut(*by, endings))
            .collect()
    }

    /// M-6.
    fn is_held(&self, by: Id, act: Id, sound: Set) -> bool {
        let Some(right) = right(self.entry(act).what) else { return false };
        self.variant == Variant::NotHeld || self.has_sound_ground(by, act, right, sound)
    }

    fn is_seated_signer(&self, by: Id, act: Id, sound: Set) -> bool {
        self.has_sound_ground(by, act, Right::Council, sound)
    }

    fn has_sound_ground(&self, by: Id, act: Id, right: Right, sound: Set) -> bool {
        let author = self.entry(by).author;
        let then = self.entry(act).view.0.grounds(author, right);
        let when_signed = self.entry(by).view.0.grounds(author, right);
        then.and(when_signed).meets(sound.with(GENESIS))
    }

    /// M-5.
    fn is_cut(&self, by: Id, endings: Set) -> bool {
        let entry = self.entry(by);
        let against = endings.iter().filter(|ending| {
            self.entry(*ending).target() == Some(entry.author) && !entry.view.0.stands.has(*ending)
        });
        let blind = against.clone().any(|ending| !self.knows(ending, by));
        let kept = against.clone().any(|ending| self.entry(ending).is_verdict() && self.knows(ending, by));
        self.variant != Variant::NothingCut && blind && !kept
    }

    /// Whether enough of those who signed an ending had seen an entry.
    fn knows(&self, ending: Id, seen: Id) -> bool {
        let signatures = self.signatures(ending).iter().filter(|by| self.entry(*by).past.has(seen));
        self.authors(signatures.collect()).len() >= self.need(ending)
    }

    /// Raw signatures, of however many are asked (M-2, M-3).
    fn is_signed(&self, act: Id) -> bool {
        let mut signers = self.authors(self.signatures(act));
        if self.variant == Variant::VerdictsFall {
            let left = self.those(|entry| self.entry(entry).what == What::Leave);
            signers = signers.without(self.authors(left));
        }
        signers.len() >= self.need(act)
    }

    fn need(&self, act: Id) -> usize {
        match self.entry(act).what {
            What::Remove(_) | What::Admit(_) => 1,
            _ => (self.entry(act).view.0.council().len() / 2 + 1).max(2),
        }
    }

    /// The entries that sign an act: itself and what approves it.
    fn signatures(&self, act: Id) -> Set {
        self.those(|by| {
            let entry = self.entry(by);
            (by == act || entry.what == What::Approve(act))
                && may_sign(self.history, entry.author, act, &entry.view.0, self.variant)
        })
    }

    fn find_grounds(&self, view: &mut View, endings: Set, sound: Set) {
        for person in 0..PERSONS as Person {
            for ground in sound.iter().filter(|ground| self.names(*ground, person)) {
                let open = endings.iter().filter(|ending| self.is_open(*ending, ground, person));
                let open: Vec<What> = open.map(|ending| self.entry(ending).what).collect();
                let (seated, in_it) = self.lasts(ground, person, &open);
                let at = usize::from(person);
                view.office[at] = if seated { view.office[at].with(ground) } else { view.office[at] };
                view.member[at] = if in_it { view.member[at].with(ground) } else { view.member[at] };
            }
        }
    }

    /// Whether what let somebody in still holds his office, and him, against the endings that it does not know.
    fn lasts(&self, ground: Id, person: Person, open: &[What]) -> (bool, bool) {
        let out = open.iter().any(|what| matches!(what, What::Expel(_) | What::Leave));
        let demoted = open.iter().any(|what| matches!(what, What::Demote(_)));
        let removed = open.iter().any(|what| matches!(what, What::Remove(_)));
        let seated = self.seats(ground, person) && !out && !demoted;
        let shielded = seated && self.variant != Variant::FewUnseat;
        (seated, !out && (!removed || shielded))
    }

    fn names(&self, ground: Id, person: Person) -> bool {
        match ground {
            GENESIS => first_members().has(person),
            ground => self.entry(ground).target() == Some(person),
        }
    }

    fn seats(&self, ground: Id, person: Person) -> bool {
        match ground {
            GENESIS => founders().has(person),
            ground => self.entry(ground).what == What::Promote(person),
        }
    }

    /// Whether a ground of somebody does not know of an ending of his.
    fn is_open(&self, ending: Id, ground: Id, person: Person) -> bool {
        if self.entry(ending).target() != Some(person) {
            return false;
        }
        if self.variant == Variant::LastArrivalDecides {
            let place = |id: Id| self.arrival.iter().position(|here| *here == id);
            return place(ending) > place(ground);
        }
        ground == GENESIS || !self.entry(ground).view.0.stands.has(ending)
    }

    fn authors(&self, entries: Set) -> Set {
        entries.iter().map(|id| self.entry(id).author).collect()
    }

    fn those(&self, is: impl Fn(Id) -> bool) -> Set {
        self.set.iter().filter(|id| is(*id)).collect()
    }

    fn entry(&self, id: Id) -> &Entry {
        self.history.get(id)
    }
}
