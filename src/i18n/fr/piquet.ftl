ready = Votre nœud tourne. Il écoute sur { $listen }
what-next = Et maintenant, dans un autre terminal : créez un groupe avec `piquet group create NOM`, ou rejoignez-en un avec `piquet join CODE`.
made-profile = Votre profil est dans { $home }
after-init = Et maintenant : lancez votre nœud avec `piquet`.
passphrase-changed = La phrase de passe du profil dans { $home } a changé.
duress-set = Désormais votre phrase de contrainte détruit le profil dans { $home } partout où une phrase de passe est demandée, aussitôt et pour de bon, et ouvre un profil vide. Un nœud qui tourne n'en demande pas : arrêtez-le avec `piquet lock` avant que quelqu'un s'y installe.
duress-removed = Aucune phrase de contrainte n'agit plus sur le profil dans { $home }.
duress-advice = Quiconque tape une phrase de contrainte détruit ce profil : choisissez des mots que vous ne taperez pas par erreur, et ne les dites à personne. Ils doivent valoir les premiers : avec une copie du disque, on devinerait un code PIN, et on saurait qu'il y en a un.
locked = Verrouillé : aucun nœud ne tourne plus avec le profil dans { $home }, et ses clés ne sont plus en mémoire.
nothing-to-lock = Aucun nœud ne tourne avec le profil dans { $home } : il n'y a rien à verrouiller.
unprotected-profile = Ce profil n'a pas de phrase de passe : quiconque a cet ordinateur peut tout y lire.
code-without-address = Aucun nœud ne tourne ici, le code n'indique donc aucune adresse : il ne sert qu'à qui atteint cet ordinateur autrement, sur un même réseau avec `piquet up --lan`. Lancez d'abord `piquet`, puis faites un code.
offline = Enregistré sur ce disque. Rien n'est encore parti : l'envoi se fera quand `piquet` tournera.
done = C'est fait.
removed = { $name } n'en est plus, et les clés ont changé.
removed-readable = Considérez comme copié ce qui se lisait depuis { $since } : { $messages ->
    [one] { $messages } message
   *[other] jusqu'à { $messages } messages
}, { $grievances ->
    [one] { $grievances } réclamation
   *[other] { $grievances } réclamations
}, { $calls ->
    [one] { $calls } appel à la grève
   *[other] { $calls } appels à la grève
}, et les noms et adresses de { $members } membres.
left = Vous avez quitté { $name }. Ce que vous y avez écrit reste chez ses membres.
never = –
a-group = GROUPE
passphrase-advice = Six mots au hasard protègent un profil ; un code PIN, non. Personne ne peut réinitialiser une phrase oubliée : écrivez-la sur papier. Ceux-ci viennent d'être tirés, pour vous seulement :
backup-advice = Qui a le fichier et sa phrase de passe y lit tout, pour toujours : prenez des mots qui ne servent qu'à lui, et écrivez-les sur papier. Ceux-ci viennent d'être tirés, pour vous seulement :
passphrase-ask = Phrase de passe :{" "}
backup-passphrase-ask = Phrase de passe de la sauvegarde :{" "}
phrase-ask = Les douze mots de votre phrase de secours :{" "}
phrase-check = Mot { $number } :{" "}
name-ask = Comment les groupes doivent-ils vous appeler ? (pas besoin d'un vrai nom ; rien : « member »){" "}
passphrase-wrong = Cette phrase de passe n'ouvre pas ce profil. Encore un essai.
passphrase-new = Nouvelle phrase de passe :{" "}
passphrase-again = Encore une fois :{" "}
leave-question = Vous avez créé { $name } : une fois que vous l'aurez quitté, plus personne ne pourra y admettre ni en exclure qui que ce soit. Tapez `leave` pour continuer :
wipe-question = Ceci détruit définitivement le profil dans { $home }. Tapez `wipe` pour continuer :
wiped = Le profil est détruit. Un SSD peut garder d'anciens blocs quelque temps ; les copies ailleurs ne sont pas touchées.
backup-written = { $file } contient { $groups ->
    [one] un groupe
   *[other] { $groups } groupes
} et { $entries } entrées, à lire. Aucune clé pour écrire n'y est, et il ne remplace pas votre phrase de secours. Gardez-le loin de tout ordinateur.
backup-left-out = { $name } n'y est pas : illisible ici, ou trop grand.
restored = { $groups ->
    [one] Un groupe
   *[other] { $groups } groupes
} et { $entries } entrées de { $file } sont ici, à lire.
restored-next = Cet ordinateur n'est dans aucun groupe et n'y écrit rien. Lancez `piquet`, puis revenez : comme le même membre par `piquet recovery join CODE` avec votre phrase, ou par un code que « piquet device add » crée sur un autre de vos ordinateurs ; comme un nouveau membre avec un nouveau code d'invitation.

status-running = En marche, écoute sur { $listen }. { $peers ->
    [0] Aucun pair connecté.
    [one] Un pair connecté.
   *[other] { $peers } pairs connectés.
}
status-not-running = Aucun nœud ne tourne : lancez-le avec `piquet`.
status-group = { $name } ({ $kind }) : { $members ->
    [one] { $members } membre
   *[other] { $members } membres
}, { $entries } entrées, { $peers } en ligne, dernières nouvelles { $heard }
status-proposal = Une proposition attend votre signature : `piquet proposal show { $group } { $id }`
status-waits-for-keys = { $group } : il manque à cet ordinateur les clés avec lesquelles les autres écrivent ; il en a demandé de nouvelles. Laissez tourner le nœud tant que d'autres sont là ; ce que vous écrivez est gardé et lu.
status-fell = { $count ->
    [one] Une décision signée par assez de monde ne tient plus, parce qu'elle repose sur quelqu'un exclu depuis : voyez `piquet proposal list { $group }`, et refaites-la en votre nom si elle est juste.
   *[other] { $count } décisions signées par assez de monde ne tiennent plus, parce qu'elles reposent sur quelqu'un exclu depuis : voyez `piquet proposal list { $group }`, et refaites-les en votre nom si elles sont justes.
}
status-waiting = { $name } attend dans { $group } : il est venu plus de monde par un code qu'il n'était prévu, donc quelqu'un l'a vu. Faites entrer { $name } avec un code à part si vous vous connaissez.
status-pending = { $count ->
    [one] Un journal attend une entrée qui n'est pas encore là.
   *[other] { $count } journaux attendent des entrées qui ne sont pas encore là.
}
status-equivocator = { $group } : { $name } a signé deux entrées différentes pour une même place : quelqu'un a une copie de cet ordinateur, ou n'est pas honnête. Demandez à { $name } de vive voix ; qui porte les clés peut l'exclure : `piquet group remove`.
status-silent = { $group } : { $name }, qui porte les clés, n'a rien écrit depuis { $days } jours et n'est pas en ligne. Prenez de ses nouvelles ; au besoin une majorité donne les clés à quelqu'un d'autre : `piquet group role { $group } MEMBRE keyholder`
status-no-phrase = { $group } : votre phrase de secours n'y est pas déposée : `piquet recovery set`
status-excess = { $name } a écrit plus qu'on ne récupère de quiconque en si peu de jours : le reste viendra les jours suivants. Si ce n'est pas une erreur, excluez { $name }.
status-joining = { $count ->
    [one] Un code attend quelqu'un qui puisse vous admettre.
   *[other] { $count } codes attendent quelqu'un qui puisse vous admettre.
}
frozen-rolled-back = { $group } : ce profil est une ancienne copie d'un profil qui a écrit depuis. Il n'y écrit plus rien. Demandez un nouveau code d'invitation.
frozen-needs-newer = { $group } : quelqu'un utilise un piquet plus récent. Mettez piquet à jour pour continuer à y écrire.
frozen-mending = { $group } : des données de ce profil ont été perdues. Il y écrira de nouveau dès qu'un membre joint aura montré ce qu'il a.
frozen-taken-out = { $group } : cet ordinateur a été retiré. Vous en êtes toujours membre, sur vos autres ordinateurs ; si vous n'en avez pas, par `piquet recovery join` sur un nouveau.
frozen-ended = { $group } : vous n'en êtes plus membre.
frozen-restored = { $group } : vient d'une sauvegarde, à lire. Cet ordinateur n'y est pas : revenez par `piquet recovery join CODE`, par un code que « piquet device add » crée sur un autre de vos ordinateurs, ou avec un nouveau code d'invitation.

group-members = { $count ->
    [one] { $count } membre
   *[other] { $count } membres
}
group-words = Ses mots, à comparer par qui rejoint : { $words }
group-draft = Ébauche : la personne qui l'a créée admet et exclut seule. Les décisions à plusieurs demandent un groupe fondé : `piquet group found`
group-chat = Les messages sont gardés { $days } jours ici, puis plus rien sur cet ordinateur ne les ouvre, une fois que les clés ont changé. Les ordinateurs restés absents les gardent aussi longtemps après leur retour.
group-group = Groupe fondé : celles et ceux qui portent ses clés décident ensemble. Ce qui attend des signatures : `piquet proposal list { $name }`
verified = rencontrée en personne
devices = { $count ->
    [0] aucun ordinateur
   *[other] { $count } ordinateurs
}
device-here = cet ordinateur
device-dropped = { $device } est retiré pour toujours et ne parle plus au nom de { $name }. Qui l'a appris ne lui écrit plus rien ; ce qu'il pouvait lire jusqu'ici, considérez-le comme copié.
device-code = À taper sur l'autre ordinateur, après « piquet join ». Qui l'utilise d'abord parle en votre nom : ne le montrez à personne. Il s'affiche une seule fois, ouvre une seule fois, et jusqu'au { $expires } ; `piquet invite revoke { $group } { $invite }` le ferme avant.
recovery-set = { $name } : la phrase est déposée.
recovery-nowhere = Vous n'êtes encore dans aucun groupe. Ensuite : `piquet recovery set`
recovery-kept = { $name } : une phrase y était déjà et reste : elle seule vous y ramène.
phrase-write = Écrivez ces douze mots sur papier, et gardez-le loin de tout ordinateur. Qui les a peut entrer en votre nom, au vu de tout le monde. Personne ne peut les afficher de nouveau, et aucune autre phrase ne peut les remplacer.
vouched-by = se portent garants : { $names }
verification-read = Lisez à voix haute à { $name }, à côté de vous : { $words }
verification-hear = Puis tapez les mots que { $name } lit sur son propre écran : `piquet group verify { $group } { $member } --heard "MOTS"`
verification-done = { $name } est bien la personne rencontrée. Cette marque reste sur votre ordinateur. Pour vous en porter garant devant le groupe : `piquet group verify { $group } { $member } --vouch`
verification-vouched = { $name } est bien la personne rencontrée, et le groupe voit que vous vous en portez garant.
no-keys-yet = n'a pas encore de clés : ne peut pas lire ce qui s'écrit maintenant
role-votes = vote
proposal-found = { $author } propose de faire un groupe de cette ébauche ; porteraient ses clés : { $about }
proposal-expel = { $author } propose d'exclure définitivement : { $about }
proposal-demote = { $author } propose de retirer les clés à { $about }
proposal-promote = { $author } propose de donner les clés à { $about }
proposal-enrol = { $author } propose que votent désormais : { $about }
proposal-rule = { $author } propose la règle : { $about }
proposal-remove = { $author } propose d'exclure : { $about }
proposal-revoke = { $author } propose de fermer le code { $about }
proposal-admit = { $author } propose de faire entrer : { $about }
proposal-dismiss = { $author } propose de clore la proposition { $about }
proposal-other = { $author } propose quelque chose
proposal-state-open = ouverte : { $signed } signatures sur { $needed }
proposal-state-decided = décidée : { $signed } signatures, il en fallait { $needed }
proposal-state-dismissed = close sans suite
proposal-state-fallen = ne tient plus : elle repose sur quelqu'un exclu depuis
proposal-waits = Votre signature compterait : `piquet proposal approve { $group } { $id }`. Une signature ne se retire pas.
proposal-signers = Signée par : { $names }
proposal-channel-council = Celles et ceux qui portent les clés décident à la majorité.
proposal-channel-roll = Celles et ceux qui votent décident à la majorité.
no-proposals = Rien n'attend plusieurs signatures.
kind-draft = ébauche
kind-group = groupe
role-keyholder = porte les clés
role-member = membre
role-none = pas membre
invited-by = entrée par { $name } le { $date }
founded = là depuis le début, le { $date }
let-in = { $count ->
    [one] a fait entrer une personne
   *[other] a fait entrer { $count } personnes
} ({ $share } % des entrées)
last-heard = dernières nouvelles { $time }
that-is-you = (vous)

code-open = ouvert
code-used = utilisé
code-expired = expiré
code-revoked = révoqué
code-facts = servi { $used } fois sur { $uses }, jusqu'au { $expires }, par { $issuer }
join-preview = Ce code est pour le groupe { $words }, jusqu'au { $expires } au plus. Comparez ces mots avec qui vous l'a donné ; Ctrl-C s'ils diffèrent.
join-joined = Vous êtes dans { $name }. Ses mots : { $words }
join-waiting = En attente de quelqu'un qui puisse vous admettre dans { $words }.
state-saved = enregistré sur ce disque
state-delivered = remis à { $delivered } sur { $of }
message-edited = corrigé
message-retracted = retiré

no-groups = Pas encore de groupe : `piquet group create NOM`, ou `piquet join CODE`.
no-messages = Pas encore de message.
no-invites = Pas encore de code : `piquet invite GROUPE`.
no-grievances = Pas encore de réclamation.
no-strikes = Aucun appel à la grève.

grievance-support = { $count ->
    [one] { $count } de plus
   *[other] { $count } de plus
}
grievance-comparable = { $kind }, { $unit } { $per } : { $count } chiffres sur ce sujet, médiane { $median }, de { $min } à { $max }

strike-pledging = engagements ouverts
strike-closed = engagements clos
strike-under-way = en cours
strike-ended = terminé
strike-called-off = ANNULÉ
strike-reason = Annulé : { $reason }
leg-threshold = seuil ici : { $threshold }
leg-doubtful = Qui appelle a écrit { $local } pour ce lieu : pour les horloges de cet ordinateur, c'est un autre moment. Demandez avant de vous y fier.
strike-pledges = { $count ->
    [one] { $count } engagement
   *[other] { $count } engagements
}, { $threshold ->
    [0] sans seuil
   *[other] seuil : { $threshold }
}
strike-hidden = Engagements cachés jusqu'à cinq, ou jusqu'à la clôture ; { $threshold ->
    [0] sans seuil
   *[other] seuil : { $threshold }
}
strike-closes = Clôture des engagements : { $time } ({ $zone }).
strike-mine = Votre engagement est pris.
strike-mine-changed = Votre engagement est pris. L'appel a changé : il vaut pour ce que l'appel dit maintenant, sauf si vous le retirez (`--withdraw`).
strike-conflicting = Il y a deux versions du même numéro : demandez à qui appelle.
strike-caller = Appel de { $name } ({ $id }), { $mandate }.
mandate-founder = qui a créé ce groupe et en a le mandat
mandate-none = qui n'a plus de mandat ici
strike-off-by = Annulé par { $name } ({ $id }), { $mandate }.
strike-verified = Sa signature vient d'être vérifiée sur cet ordinateur : elle est bonne.
strike-not-verified = Sa signature ne peut être vérifiée sur cet ordinateur : ne vous y fiez pas. `piquet doctor` en dit plus.
strike-version = Version { $sequence }, valable jusqu'au { $expires } ({ $zone }).
strike-counters = Les personnes nommées ici voient qui s'engage ; les autres membres et l'extérieur, non ; effacé à la clôture : { $names }
form-log-off = Se déconnecter
form-refuse-orders = Refuser les commandes
form-set-resting = Se mettre en pause
form-some-orders = Ne prendre que certaines commandes
form-go-slow = Grève du zèle
form-picket = Piquet de grève
form-motorcade = Cortège
form-no-tasks-from-requester = Aucune tâche du donneur d'ordre
form-letter-day = Journée de lettres

cat-pay-below-rate = paie : sous le tarif
cat-pay-unpaid-or-rejected = paie : travail impayé ou refusé
cat-pay-waiting = paie : attente
cat-pay-distance = paie : distance
cat-pay-grouped-orders = paie : commandes groupées
cat-pay-bonus = paie : prime
cat-pay-tips = paie : pourboires
cat-pay-deductions = paie : retenues
cat-pay-late = paie : retard
cat-pay-expenses = paie : frais
cat-account-deactivated = compte : désactivé
cat-account-suspended = compte : suspendu
cat-account-id-check = compte : contrôle d'identité
cat-account-rating = compte : note
cat-account-locked-out = compte : accès bloqué
cat-account-customer-complaint = compte : plainte de client
cat-algorithm-dispatch = algorithme : attribution du travail
cat-algorithm-pay-change = algorithme : changement de paie
cat-algorithm-monitoring = algorithme : surveillance
cat-algorithm-no-human-review = algorithme : pas d'examen humain
cat-algorithm-data-refused = algorithme : données refusées
cat-safety-accident = sécurité : accident
cat-safety-equipment = sécurité : équipement
cat-safety-weather = sécurité : météo
cat-safety-assault = sécurité : agression
cat-safety-psychological = sécurité : santé psychique
cat-respect-discrimination = respect : discrimination
cat-respect-harassment = respect : harcèlement
cat-respect-no-reply = respect : pas de réponse
cat-retaliation = représailles
cat-contract-change = contrat : modification
cat-contract-nda = contrat : clause de secret
cat-contract-status = contrat : statut
cat-other = autre

amount-paid = payé
amount-expected = attendu
amount-owed = dû
amount-deducted = retenu
amount-tip = pourboire
amount-bonus = prime
amount-hours = heures
amount-waiting = attente
amount-km = distance
amount-tasks = tâches
per-task = par tâche
per-hour = par heure
per-day = par jour
per-week = par semaine
per-month = par mois
per-total = au total
basis-document = d'après un document
basis-measured = mesuré
basis-estimate = estimé
every-day = chaque jour
every-week = chaque semaine
every-month = chaque mois
every-task = à chaque tâche
support-same = vécu
support-witness = témoin
support-document = document

event-joined = Vous êtes dans { $name }.
event-disk-full = Le disque est plein : on peut lire tout ce qui est là, rien de nouveau n'est gardé. Faites de la place ; le nœud continue de lui-même.
event-disk-failing = Le disque refuse tout ce qui est nouveau. Vérifiez-le ; le nœud continue de lui-même dès que possible.
event-disk-again = Le disque prend de nouveau ce qui arrive. Ce qui a manqué est récupéré.
event-taken-out = { $name } : cet ordinateur a été retiré. Vous en êtes toujours membre, sur vos autres ordinateurs.
event-removed = { $name } : vous n'en êtes plus membre.
event-call = { $name } : APPEL À LA GRÈVE de { $who } : { $title }. Voyez d'où il vient, puis engagez-vous : `piquet strike show { $group } { $id }`
event-call-changed = { $name } : l'appel à la grève « { $title } » a changé : `piquet strike show { $group } { $id }`
event-call-off = { $name } : l'appel à la grève « { $title } » est ANNULÉ : `piquet strike show { $group } { $id }`
event-grievance = { $name } : { $who } a déposé une réclamation sur { $platform } : `piquet grievance show { $group } { $id }`
event-members-in = { $name } : { $by } a fait entrer quelqu'un : { $member }.
event-members-out = { $name } : { $by } a exclu { $who } ({ $member }).
event-members-expelled = { $name } : { $who } ({ $member }) a été exclu définitivement par une majorité.
event-proposal = { $name } : { $who } propose quelque chose qui demande plusieurs signatures : `piquet proposal show { $group } { $id }`
event-founded = { $name } est désormais un groupe fondé : tout le monde nommé a donné son accord. Ce nœud y passe de lui-même.
event-members-left = { $name } : { $who } ({ $member }) a quitté le groupe.
event-members-fell = { $name } : { $who } ({ $member }) n'est plus membre : ce qui l'avait fait entrer ne vaut plus.
event-rekeyed = { $name } : l'ordinateur de { $who } ({ $member }) a de nouvelles clés. Si cela vous surprend, demandez-le-lui autrement : qui aurait volé la clé d'un ordinateur pourrait l'avoir fait.
event-rekeyed-self = { $name } : cet ordinateur a de nouvelles clés et lit la suite à partir d'ici.
event-named = { $name } : { $member } porte le nom { $who }.
event-device-linked = { $name } : { $who } ({ $member }) a un ordinateur de plus : { $device }. Si cela vous étonne, demandez-lui par un autre moyen.
event-device-linked-self = { $name } : un ordinateur de plus parle en votre nom : { $device }. S'il n'est pas à vous : `piquet device drop { $group } { $device }`
event-device-dropped = { $name } : un ordinateur de { $who } ({ $member }) a été retiré : { $device }.
event-equivocation = { $name } : { $who } ({ $member }) a signé deux entrées différentes pour une même place.
event-rolled-back = { $name } : ce profil est une ancienne copie. Il n'y écrit plus rien.
event-needs-newer = { $name } : quelque chose demande un piquet plus récent.
event-group-full = { $name } : quelqu'un avec un bon code n'a pas pu entrer : le groupe est plein, ses clés ne tiendraient plus dans un seul message.

doctor-journal = Ces données ne sont plus lisibles et ont été abandonnées ; toutes les autres sont intactes. Ce que les membres ont est repris tant que `piquet` tourne. Vérifiez le disque : il est peut-être en train de lâcher.
doctor-disk = Il n'y a presque plus de place sur ce disque : faites-en, sinon rien de nouveau n'est gardé.
doctor-erasure = Une chose effacée est encore sur le disque, qui a refusé ; l'effacement est retenté au prochain message et au prochain démarrage.
doctor-folder = D'autres utilisateurs de cet ordinateur ont accès au dossier du profil : réservez-le-vous (`chmod 700`), ou déplacez-le dans un dossier à vous.
doctor-memory = Des clés peuvent arriver dans le fichier d'échange : ce système ne laisse pas verrouiller plus de mémoire.
doctor-daemon = Aucun nœud ne tourne : lancez-le avec `piquet`.
doctor-group = Voyez `piquet status` : il dit ce qu'il faut à chaque groupe.
doctor-closed = Ce sur quoi ce groupe repose n'est plus lisible : demandez un nouveau code d'invitation à un membre, et ce qui est lisible sera retrouvé.

err-no-profile = Il n'y a pas de profil ici.
rec-no-profile = Créez-en un et lancez votre nœud avec `piquet`, ou créez-le seulement avec `piquet init`.
err-profile-exists = Il y a déjà un profil ici.
rec-profile-exists = Prenez un autre dossier avec `--home`, ou détruisez celui-ci avec `piquet wipe`.
err-profile-locked = Un autre processus utilise ce profil.
rec-profile-locked = Attendez-le ; un nœud qui tourne s'arrête avec `piquet lock`.
err-wrong-passphrase = La phrase de passe n'ouvre pas ce profil.
rec-wrong-passphrase = Réessayez ; personne ne peut la réinitialiser.
err-newer-version = Un piquet plus récent a écrit ce profil.
rec-newer-version = Mettez piquet à jour.
err-profile-damaged = Les clés de ce profil sont abîmées.
rec-profile-damaged = Gardez le dossier tel quel, créez un nouveau profil et demandez de nouveaux codes.
err-header-damaged = L'en-tête de ce profil est illisible : le chemin de la phrase secrète aux clés est perdu, et avec lui tout le profil.
rec-header-damaged = `piquet wipe`, faites un nouveau profil et demandez de nouveaux codes d'invitation ; ce que vous avez écrit est chez les autres.
err-vault-damaged = Les clés de ce profil sont illisibles : sans elles, rien de ce qui est gardé ici ne peut être ouvert.
rec-vault-damaged = Si le disque revient, réessayez. Sinon `piquet wipe`, faites un nouveau profil et demandez de nouveaux codes d'invitation ; ce que vous avez écrit est chez les autres.
err-disk = Le disque ne répond pas.
rec-disk = Vérifiez le disque ; rien de cette commande n'a été gardé.
err-disk-full = Le disque est plein. Rien de cette commande n'a été gardé ; tout ce qui précède est là.
only-reading = Le disque est plein. On peut lire tout ce qui est là, rien de nouveau n'est gardé : faites de la place.
rec-disk-full = Faites de la place et réessayez.
err-read-only = Ce dossier ne peut pas être écrit.
rec-read-only = Vérifiez ses droits et comment son disque est monté ; rien n'a été changé.
err-home-is-file = Le dossier indiqué est un fichier.
rec-home-is-file = Indiquez un dossier avec `--home DIR`.
err-no-memory = Il n'y a pas assez de mémoire pour essayer la phrase secrète.
rec-no-memory = Fermez d'autres programmes et réessayez.
err-damaged = Un enregistrement est illisible ; le reste se lit.
rec-damaged = `piquet doctor` dit lequel. Ce que d'autres ont revient en synchronisant.
err-no-home = Ce système n'indique aucun dossier pour les profils.
rec-no-home = Dites où avec `--home DOSSIER`.
err-no-state = Le dossier d'état de cette machine est inutilisable.
rec-no-state = Vérifiez ses permissions.
err-no-terminal = Il faut une phrase de passe, et il n'y a pas de terminal pour la demander.
rec-no-terminal = Définissez PIQUET_PASSPHRASE_FILE, ou créez un profil non protégé avec `--no-passphrase`.
err-same-passphrase = C'est l'autre phrase de passe de ce profil : l'une l'ouvre, l'autre le détruit.
rec-same-passphrase = Choisissez d'autres mots.
err-no-passphrase = Ce profil n'a pas de phrase de passe : il n'y en a aucune à remplacer par une autre.
rec-no-passphrase = Définissez-en d'abord une : `piquet passphrase`.
err-not-locked = Un programme continue d'utiliser ce profil et a ses clés en mémoire.
rec-not-locked = Arrêtez ce programme, ou éteignez l'ordinateur.
err-empty-passphrase = La phrase de passe est vide.
rec-empty-passphrase = Six mots au hasard conviennent ; `--no-passphrase` crée un profil non protégé.
err-passphrases-differ = Les deux phrases de passe diffèrent.
rec-passphrases-differ = Réessayez.
err-passphrase-file = Le fichier de phrase de passe est illisible.
rec-passphrase-file = Vérifiez PIQUET_PASSPHRASE_FILE, ou pour une sauvegarde PIQUET_BACKUP_PASSPHRASE_FILE.
err-bad-phrase = Ce ne sont pas les mots d'une phrase de secours : il en manque un, il est inconnu ou n'est pas à sa place.
rec-bad-phrase = Regardez encore le papier : douze mots, dans leur ordre.
err-phrase-file = La phrase n'a pas été écrite dans { $file } : un fichier y est déjà, ou le dossier refuse l'écriture. Rien n'a été déposé.
rec-phrase-file = Nommez un fichier qui n'existe pas encore.
err-backup-exists = { $file } existe déjà.
rec-backup-exists = Nommez un fichier qui n'existe pas encore.
err-backup-not-written = { $file } ne peut pas être écrit. Il n'y a pas de sauvegarde.
rec-backup-not-written = Regardez le dossier : s'il est là, s'il est à vous et s'il y reste de la place.
err-backup-not-read = { $file } est illisible.
rec-backup-not-read = Vérifiez son nom et ses droits.
err-backup-too-large = Il y a plus ici qu'une sauvegarde ne prend : un gigaoctet.
rec-backup-too-large = Copiez plutôt le dossier du profil ; la copie s'ouvre avec la phrase de passe, et ne s'utilise pas à côté de ce profil.
err-bad-recipient = Ce n'est pas un destinataire age.
rec-bad-recipient = Il ressemble à age1… et se trouve dans le fichier de la clé ; sans `--recipient`, une phrase de passe est demandée.
err-bad-identity = { $file } n'a aucune clé age utilisable.
rec-bad-identity = Donnez le fichier créé par `age-keygen` : il a une ligne AGE-SECRET-KEY-1….
err-backup-damaged = Ce n'est pas une sauvegarde entière : elle est abîmée, coupée, ou c'est autre chose. Rien n'en a été fait.
rec-backup-damaged = Essayez une autre copie du fichier.
err-newer-backup = Un piquet plus récent a écrit cette sauvegarde. Rien n'en a été fait.
rec-newer-backup = Mettez piquet à jour.
err-backup-passphrase = La phrase de passe n'ouvre pas cette sauvegarde.
rec-backup-passphrase = Réessayez ; personne ne peut la réinitialiser.
err-backup-for-key = Cette sauvegarde a été écrite pour une clé age, pas pour une phrase de passe.
rec-backup-for-key = Nommez le fichier de la clé : `--identity FILE`
err-backup-identity = Cette clé n'ouvre pas la sauvegarde.
rec-backup-identity = Trouvez la clé pour laquelle elle a été écrite.
err-no-backup-passphrase = Il faut la phrase de passe de la sauvegarde, et il n'y a pas de terminal pour la demander.
rec-no-backup-passphrase = Donnez dans PIQUET_BACKUP_PASSPHRASE_FILE un fichier qui la contient.
err-not-written-down = Ce n'est pas ce mot. Rien n'a été déposé.
rec-not-written-down = piquet recovery new
err-this-device = C'est cet ordinateur même.
rec-this-device = Retirez-le depuis un autre des vôtres, ou quittez le groupe : `piquet group leave { $group }`
err-not-your-device = Cet ordinateur est à un autre membre.
rec-not-your-device = Qui a la phrase de secours de ce membre ajoute `--phrase`.
err-not-confirmed = Rien n'a été fait.
rec-not-confirmed = Dites `--yes` pour le faire sans question.
err-still-running = Le profil n'est plus sur le disque, mais un programme qui s'en servait tourne encore et l'a en mémoire.
rec-still-running = Arrêtez ce programme, ou éteignez l'ordinateur.
err-already-running = Un nœud tourne déjà avec ce profil.
rec-already-running = piquet status
err-daemon-gone = Le nœud s'est arrêté avant d'avoir répondu.
rec-daemon-gone = Réessayez ; `piquet status` dit ce qui a été gardé.
err-no-network = Le réseau est inutilisable.
rec-no-network = Vérifiez les adresses après `--listen`.
err-no-socket = La prise de commande ne peut être créée.
rec-no-socket = Vérifiez les permissions du dossier du profil.
err-bad-address = { $address } n'est pas une adresse.
rec-bad-address = Écrivez-la comme /ip4/0.0.0.0/tcp/4001.
err-bad-request = Le nœud n'a pas compris cette commande.
rec-bad-request = Utilisez la même version de piquet des deux côtés.
err-bad-name = Un nom a de 1 à 64 octets, sans caractère de contrôle.
rec-bad-name = Choisissez un autre nom.
err-bad-field = Cela ne convient pas : « { $field } » est vide, dépasse { $max } octets, ou contient des caractères qui n'y ont pas leur place.
rec-bad-field = { $command } --help
err-bad-value = Cela ne convient pas : quelque chose en trop grand nombre, ou deux fois.
rec-bad-value = { $command } --help
err-no-such-group = Il n'y a pas de groupe { $name }.
rec-no-such-group = piquet group list
err-no-such-member = Il n'y a pas de membre { $name }.
rec-no-such-member = piquet group members { $group }
err-no-such-invite = Il n'y a pas de code { $name }.
rec-no-such-invite = piquet invite list { $group }
err-no-such-device = Il n'y a pas d'ordinateur { $name } dans le groupe.
rec-no-such-device = piquet device list { $group }
err-no-such-grievance = Il n'y a pas de réclamation { $name }.
rec-no-such-grievance = piquet grievance list { $group }
err-no-such-call = Il n'y a pas d'appel à la grève { $name }.
rec-no-such-call = piquet strike list { $group }
err-no-such-message = Il n'y a pas de message { $name }.
rec-no-such-message = piquet read { $group } --json
err-not-yours = Un autre ordinateur a écrit ce message : lui seul peut le corriger ou le retirer.
rec-not-yours = piquet read { $group } --json
err-nothing-said = Cet ordinateur n'a rien dit ici qui ne soit retiré.
rec-nothing-said = piquet read { $group }
err-no-text = On ne peut pas corriger un message en rien.
rec-no-text = On peut le retirer : `piquet retract { $group }`
err-not-found = Cela n'existe pas ici.
rec-not-found = piquet status
err-ambiguous = { $name } désigne plusieurs choses : { $candidates }.
rec-ambiguous = Écrivez-en davantage, ou l'identifiant.
err-not-allowed = Vous ne pouvez pas faire cela ici : c'est à qui porte les clés (dans une ébauche, la personne qui l'a créée), ou à d'autres que celles et ceux dont il s'agit.
rec-not-allowed = Cette liste dit qui porte les clés : `piquet group members { $group }`
err-keyholder = Une seule main n'exclut pas qui porte les clés.
rec-keyholder = Fondez un groupe pour décider de cela ensemble.
err-council = Dans un groupe, deux personnes au moins portent les clés, et 32 au plus. À cinq, rien ne dépend d'une seule.
rec-council = piquet group found { $group } --keyholder MEMBRE --keyholder MEMBRE
err-founded-already = C'est déjà un groupe fondé.
rec-founded-already = piquet group show { $group }
err-draft = Dans une ébauche, rien ne se décide à plusieurs.
rec-draft = piquet group found { $group } --keyholder MEMBRE --keyholder MEMBRE
err-decided = C'est déjà décidé, clos ou sans effet.
rec-decided = piquet proposal list { $group }
err-not-the-same = Ce ne sont pas les bons mots. Relisez-les ; s'ils diffèrent encore, le membre qui porte ce nom dans le groupe n'est pas la personne devant vous. Prévenez les autres.
rec-not-the-same = piquet group members { $group }
err-not-verified = On se porte garant de qui on a rencontré : comparez d'abord les mots.
rec-not-verified = piquet group verify --help
err-no-vouch-needed = Personne n'a à se porter garant de ce membre : là depuis le début, ou par un vote.
rec-no-vouch-needed = piquet group members { $group }
err-bad-rule = Il n'y a pas de telle règle : { $rule }.
rec-bad-rule = piquet group rule --help
err-no-such-proposal = Il n'y a pas de proposition { $name }.
rec-no-such-proposal = piquet proposal list { $group }
err-already-member = Vous êtes déjà dans ce groupe.
rec-already-member = piquet group list
err-bad-code = Ce n'est pas un code d'invitation, ou il est mal recopié.
rec-bad-code = Comparez caractère par caractère, ou scannez-le.
err-newer-code = Ce code vient d'un piquet plus récent.
rec-newer-code = Mettez piquet à jour.
err-code-expired = Ce code a expiré.
rec-code-expired = Demandez-en un nouveau.
err-code-used = Ce code a servi autant de fois que permis. Si ce n'était pas vous, quelqu'un l'a vu.
rec-code-used = Prévenez qui vous l'a donné, et demandez-en un nouveau.
err-code-revoked = Ce code a été révoqué.
rec-code-revoked = Demandez-en un nouveau.
err-nobody-reached = Personne qui puisse vous admettre n'a été joint à temps.
rec-nobody-reached = Le code est gardé : il continue chaque fois que `piquet` tourne, jusqu'à son expiration. `piquet status` dit où il en est.
err-nobody-asked = Aucun nœud ne tourne : personne n'a encore été sollicité. Le code est gardé.
rec-nobody-asked = piquet up
err-no-node = Aucun nœud ne tourne : rien de nouveau ne peut venir.
rec-no-node = piquet up
err-follow-ended = Le nœud a continué sans ce lecteur, trop lent.
rec-follow-ended = piquet read { $group } --follow --since ID
err-too-long = Un message a au plus { $bytes } octets.
rec-too-long = Envoyez-le en plusieurs fois.
err-not-text = Ce qui est arrivé n'est pas du texte en UTF-8.
rec-not-text = Envoyez du texte : les autres fichiers ne peuvent pas encore être envoyés.
err-group-full = Ce groupe est plein : ses clés ne tiendraient plus dans un seul message.
rec-group-full = Faites de la place avec `piquet group remove`, ou un autre groupe : `piquet group create NOM`
err-too-late = C'est trop tard : les engagements sont clos, l'appel est terminé ou annulé.
rec-too-late = piquet strike list { $group }
err-closes-late = La clôture des engagements doit précéder le premier début.
rec-closes-late = Choisissez un `--closes` plus tôt.
err-closes-past = { $time } est passé : personne ne pourrait s'engager.
rec-closes-past = Choisissez un `--closes` plus tard, ou aucun.
err-start-past = { $time } est passé.
rec-start-past = Choisissez un `--start` à venir.
err-bad-leg = Une étape demande fuseau, lieu, début et fin, et finit après avoir commencé.
rec-bad-leg = Écrivez-la comme "Europe/Paris;Lyon;2026-12-04T18:00;2026-12-04T22:00;40".
err-bad-time = { $time } n'est pas une heure.
rec-bad-time = Écrivez-la comme 2026-12-04T18:00, sans décalage : le fuseau dit le reste.
err-bad-zone = { $zone } n'est pas un fuseau horaire.
rec-bad-zone = Écrivez-le comme Europe/Paris.
err-no-such-time = { $time } n'est pas un instant unique à { $zone } : on y change d'heure, et cette heure manque ou revient.
rec-no-such-time = Choisissez une heure plus tôt ou plus tard.
err-bad-amount = { $amount } n'est pas un montant.
rec-bad-amount = Écrivez-le comme paid=4.50EUR/task ou hours=7h/day:measured ; `piquet grievance file --help` liste tout.
err-unknown-currency = ISO 4217 ne connaît pas la monnaie « { $currency } » ({ $amount }).
rec-unknown-currency = Écrivez ses trois lettres, comme EUR, KES, BRL, INR : paid=4.50EUR/task.
err-bad-decimals = { $currency } { $decimals ->
    [0] n'a pas de décimales.
    [one] a une décimale.
   *[other] a { $decimals } décimales.
}
rec-bad-decimals = Arrondissez à ce qui peut se payer.
err-bad-when = { $when } n'est pas une date, ou ses jours n'existent pas ou vont à rebours.
rec-bad-when = Écrivez-la comme 2026-11-20, 2026-11, 2026 ou 2026-11-03..2026-11-20.
err-coordinates = Des coordonnées montrent au mètre près où était quelqu'un.
rec-coordinates = Nommez la ville, et s'il le faut une zone : --place "Lyon, Part-Dieu".
err-own-grievance = Cette réclamation est la vôtre : elle compte déjà.
rec-own-grievance = piquet grievance list { $group }
err-rolled-back = Ce profil est une ancienne copie d'un profil qui a écrit depuis : il n'écrit plus rien ici.
rec-rolled-back = Demandez un nouveau code d'invitation et rejoignez à nouveau.
err-needs-newer = Quelqu'un utilise ici un piquet plus récent.
rec-needs-newer = Mettez piquet à jour pour continuer à écrire.
err-mending = Des données de ce profil ont été perdues, peut-être vos derniers messages : rien n'est écrit ici avant qu'un membre ait montré ce qu'il en a.
rec-mending = Lancez `piquet` et laissez-le joindre un membre ; `piquet doctor` dit où il en est. Si personne ne les a, demandez un nouveau code d'invitation.
err-group-damaged = Ce sur quoi ce groupe repose n'est plus lisible.
rec-group-damaged = Demandez un nouveau code d'invitation à un membre : ce qui est encore lisible sera retrouvé.
err-restored = Ce groupe vient d'une sauvegarde : cet ordinateur n'y est pas et n'y écrit rien.
rec-restored = Revenez par `piquet recovery join CODE`, par un code que « piquet device add » crée sur un autre de vos ordinateurs, ou avec un nouveau code d'invitation.
err-ended = Vous n'êtes plus membre.
rec-ended = Demandez un nouveau code d'invitation.
err-rekeying = Les clés du groupe changent après un départ ou une exclusion.
rec-rekeying = Réessayez dans un instant.
err-no-keys = Ce profil n'a pas de clés pour ce groupe.
rec-no-keys = Demandez un nouveau code d'invitation.

usage-unknown-argument = Il n'y a pas de { $arg } ici.
usage-unknown-command = Il n'y a pas de commande { $command }.
usage-missing = Il manque quelque chose : { $arg }.
usage-missing-command = Il manque une commande.
usage-missing-value = Il faut une valeur à { $arg }.
usage-bad-value = { $value } ne convient pas à { $arg }.
usage-bad-span = { $value } n'est pas une durée : écrivez { $arg } comme 60s, 5m, 1h ou 7d.
usage-long-span = { $value } est une durée trop longue pour { $arg }.
usage-no-span = Un code doit valoir un certain temps : écrivez { $arg } comme 60s, 5m, 1h ou 7d.
usage-conflict = { $arg } ne va pas avec { $prior }.
usage-not-text = Ce qui a été tapé n'est pas du texte en UTF-8.
usage-other = Cela ne peut pas s'écrire ainsi.
usage-did-you-mean = Vouliez-vous dire { $what } ?
usage-one-of = C'est l'un de : { $what }.
