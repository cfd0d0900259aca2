// Package post takes reports that come by mail: it keeps each mail, judges it, and gives
// one answer to each judging.
//
// Rules. A mail is kept before anybody looks at it ([Service.Take]), once: Message-ID,
// sender and content together are its key, and a copy only counts up. The unit comes from
// the binding of the sender's address, made by an activation code in a mail or by an
// officer, and never from what the file says. A judging ([Service.Judge]) claims a mail by
// a conditional update with a lease, hands its workbooks to the [Door], which is the one
// of page and folder, and writes verdict and answer in one transaction; the door knows its
// own acts again by their keys, so that a kill anywhere repeats a judging and doubles
// nothing. Answers go out after that ([Service.Deliver]), at least once, always under the
// Message-ID of their first sending. What no person wrote gets no answer.
//
// What cannot be decided waits: senders that nobody knows, mails that are not from the
// domain they name, mails that failed. An officer sees what they hold, masked, binds the
// sender once, and all that waits of that sender is judged again, with an answer for that.
//
// Danger: a sender writes From himself. A binding only says where rows go and never what
// anybody may read: an answer holds nothing but the sender's own rows, goes to the bound
// address alone, and a code does not bind an address anew. Mails, addresses and answers
// are sealed, and are dropped as soon as they are answered.
package post
