// The words of the plain page, in English and French. English where the browser asks for neither.

const english = {
  key: 'API key', keyHelp: 'Make one on the machine with “guichet key create NAME”. It is forgotten when this tab is closed.',
  signIn: 'Sign in', signOut: 'Sign out', keyRefused: 'This key is unknown or was revoked.',
  conversations: 'Conversations', state: 'State', mailbox: 'Mailbox', all: 'all', more: 'Show more',
  moreMessages: 'Show later messages', noConversation: 'No conversation.', choose: 'Choose a conversation.',
  service: 'Service', reply: 'Reply', yourReply: 'Your reply', files: 'Files (at most 20, 20 MB in all)',
  send: 'Send', sending: 'Sending…', sent: 'The reply is stored and will be sent.',
  open: 'open', assigned: 'assigned', waiting: 'waiting', closed: 'closed',
  received: 'received', queued: 'being sent', failed: 'not sent', sentState: 'sent',
  from: 'From', to: 'To', cc: 'Copy', noSubject: '(no subject)', attachments: 'Attachments', why: 'Why it is here',
  machine: 'Written by a machine', deviations: 'Deviations', raw: 'Download the mail as received',
  html: 'Content of the mail', showText: 'Show as text',
  earlier: 'Earlier messages', whole: 'The whole mail as it came', meeting: 'Meeting',
  signed: 'Signed ({0}); the signature was not verified', encrypted: 'Encrypted ({0}): the content is attached and can’t be shown',
  queue: 'Queue', messages: 'messages', priority: 'Priority',
  connecting: 'Connecting…', connected: 'Live', lost: 'The connection was lost. Trying again…',
  news: 'News in “{0}”', neverSynced: 'not yet read', readAt: 'read up to {0}', polled: 'polled', notified: 'notified',
  failing: 'failing {0} times: {1}', notFollowed: 'not followed now', quarantined: 'Mails set aside', outbox: 'Outbox: {0} waiting, {1} given up',
  tooLarge: '“{0}” has more than 20 MB.', unreachable: 'Guichet can’t be reached.',
};

const french = {
  key: 'Clé d’API', keyHelp: 'À créer sur la machine avec « guichet key create NOM ». Elle est oubliée à la fermeture de l’onglet.',
  signIn: 'Se connecter', signOut: 'Se déconnecter', keyRefused: 'Cette clé est inconnue ou a été révoquée.',
  conversations: 'Conversations', state: 'État', mailbox: 'Boîte', all: 'toutes', more: 'Afficher la suite',
  moreMessages: 'Afficher les messages suivants', noConversation: 'Aucune conversation.', choose: 'Choisissez une conversation.',
  service: 'Service', reply: 'Répondre', yourReply: 'Votre réponse', files: 'Fichiers (20 au plus, 20 Mo en tout)',
  send: 'Envoyer', sending: 'Envoi…', sent: 'La réponse est enregistrée et va être envoyée.',
  open: 'ouverte', assigned: 'attribuée', waiting: 'en attente', closed: 'close',
  received: 'reçu', queued: 'en cours d’envoi', failed: 'non envoyé', sentState: 'envoyé',
  from: 'De', to: 'À', cc: 'Copie', noSubject: '(sans objet)', attachments: 'Pièces jointes', why: 'Pourquoi il est ici',
  machine: 'Écrit par une machine', deviations: 'Écarts', raw: 'Télécharger le courrier tel que reçu',
  html: 'Contenu du courrier', showText: 'Afficher en texte',
  earlier: 'Messages précédents', whole: 'Le courrier entier, tel que reçu', meeting: 'Réunion',
  signed: 'Signé ({0}) ; la signature n’a pas été vérifiée', encrypted: 'Chiffré ({0}) : le contenu est joint et ne peut être affiché',
  queue: 'File', messages: 'messages', priority: 'Priorité',
  connecting: 'Connexion…', connected: 'En direct', lost: 'La connexion est perdue. Nouvel essai…',
  news: 'Du nouveau dans « {0} »', neverSynced: 'pas encore lue', readAt: 'lue jusqu’à {0}', polled: 'interrogée', notified: 'notifiée',
  failing: '{0} échecs : {1}', notFollowed: 'non suivie pour l’instant', quarantined: 'Courriers mis à l’écart', outbox: 'Envois : {0} en attente, {1} abandonnés',
  tooLarge: '« {0} » a plus de 20 Mo.', unreachable: 'Guichet est injoignable.',
};

const served = tag => /^(en|fr)\b/i.test(tag);
// The whole tag decides how times are written (en-GB, fr-CA), its first part the words.
const locale = (navigator.languages || [navigator.language || 'en']).find(served) || 'en';
export const language = locale.slice(0, 2).toLowerCase();
const words = language === 'fr' ? french : english;

/** The words for a name; {0}, {1} … are replaced by the further arguments. */
export function text(name, ...values) {
  return (words[name] || name).replace(/\{(\d)\}/g, (_, at) => values[at]);
}

/** A time in the reader's way of writing. */
export function time(value) {
  return new Date(value).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}
