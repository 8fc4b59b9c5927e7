/*
 * Delivery of a sender's messages to one receiver, as app/services, signaling/dial/deposits.ts and node/store do it.
 * README.md beside this file says which name stands for what, which properties are asserted, and what is left out.
 *
 * Every proctype is a loop of atomic steps that may happen whenever their guards hold. Sets of messages are bit masks:
 * what is on its way overtakes as it likes. `Trouble` brings at most TROUBLES misfortunes, anywhere.
 *
 * Settings: -DMESSAGES=2 -DTROUBLES=2; -DLINK: a mailbox and a direct link instead of two mailboxes; -DREADS: read receipts.
 * Mutants, each of which must give a counterexample: -DACK_BEFORE_COMMIT -DNO_DEDUP -DDROP_ON_DEPOSIT -DNO_SYNC
 * -DAPPEND_ON_ARRIVAL -DLOWER_STATUS -DNEVER_AGAIN -DSPLIT_WRITE
 */
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef TROUBLES
#define TROUBLES 2
#endif
/* How often all may fall quiet, and what is due be offered again, before everything is delivered. */
#define ROUNDS 2

#define in(set, m) ((set) & (1 << (m)))
#define add(set, m) set = (set) | (1 << (m))
#define drop(set, m) set = (set) & ~(1 << (m))

#define NONE 0
#define WAITING 1
#define SENT 2
#define DELIVERED 3
#define READ 4

/* The sender's disk. */
byte written; /* messages stored so far; a message's number is its sequence */
byte rows; /* outbox */
byte sentRows; /* rows that somebody has taken */
byte status[MESSAGES];
/* The sender's memory. */
byte inFlight;
#ifdef SPLIT_WRITE
byte unwritten; /* stored as a message, and not yet in the outbox */
#endif

/* Between the sender and the paths. Path 0 is a mailbox, path 1 another one or the link. */
byte offers[2];
byte answers; /* yes to an offer; which path said it makes no difference */

/* Relays. */
byte unsynced[2]; /* written, and gone with the power */
byte disk[2];
byte expired; /* ghost: once let go by a relay, as after 30 days */
byte acks[2]; /* on their way to a relay */

/* The receiver's memory: envelopes pushed or in a transaction under way, by path. */
byte staged[2];
/* The receiver's disk. */
byte known;
byte list[MESSAGES + 1]; /* the conversation as shown, top first: message + 1 */
byte owedDelivered;
byte recent; /* receipted since all was quiet: a copy asks for no other receipt yet */
#ifdef READS
byte owedRead;
#endif

byte troubles = TROUBLES;
bool calm; /* Trouble waits until all is quiet */
byte rounds;
byte at; /* scratch of `display` */
byte last;

#define finished (known == (1 << MESSAGES) - 1 && rows == 0)
#ifdef LINK
#define onDisk disk[0]
#define taken (unsynced[0] | staged[1])
#else
#define onDisk (disk[0] | disk[1])
#define taken (unsynced[0] | unsynced[1])
#endif
#define underWay (offers[0] | offers[1] | answers | taken)

/* conversations.ts raiseStatus: a lower status changes nothing. */
inline raise(message, to) {
  if
#ifdef LOWER_STATUS
  :: true ->
#else
  :: status[message] < to ->
#endif
    assert(status[message] <= to); /* 4: a status never goes back */
    status[message] = to
#ifndef LOWER_STATUS
  :: else
#endif
  fi
}

/* positions.ts: before everything of the same sender that comes later. */
inline display(message) {
  at = 0;
  do
#ifdef APPEND_ON_ARRIVAL
  :: list[at] == 0 -> break
#else
  :: list[at] == 0 || list[at] > message + 1 -> break
#endif
  :: else -> at++
  od;
  last = MESSAGES;
  do
  :: last > at -> list[last] = list[last - 1]; last--
  :: else -> break
  od;
  list[at] = message + 1;
  at = 0;
  do
  :: at < MESSAGES && list[at + 1] != 0 ->
    assert(list[at] != list[at + 1]); /* 2: nothing is shown twice */
    assert(list[at] < list[at + 1]); /* 3: in the order of its sender */
    at++
  :: else -> break
  od;
  at = 0;
  last = 0
}

/* receive-envelope.ts: what is known asks for a receipt at most; what is new is stored with all that follows from it. */
inline commit(message) {
  if
#ifndef NO_DEDUP
  :: in(known, message) ->
    if
    :: !in(recent, message) -> add(owedDelivered, message)
    :: else
    fi
#endif
  :: else ->
    add(known, message);
    add(owedDelivered, message);
    display(message)
  fi
}

inline removeRow(message) {
  if
  :: in(rows, message) ->
    assert(in(known, message)); /* 1: no row goes before its message is on the receiver's disk */
    drop(rows, message);
    drop(sentRows, message)
  :: else
  fi
}

/* outbox.ts: all mailboxes at once, and the link if there is one. */
inline offer(message) {
  add(inFlight, message);
  add(offers[0], message);
#ifdef LINK
  if
  :: add(offers[1], message)
  :: true
  fi
#else
  add(offers[1], message)
#endif
}

/* receive-envelope.ts applyReceipt: row and status in one transaction; a receipt whose answer is lost comes again. */
inline receipted(owed, message, to) {
  removeRow(message);
  raise(message, to);
  add(recent, message);
  if
  :: drop(owed, message)
  :: troubles > 0 -> troubles--
  fi
}

proctype Sender(byte m) {
  do
  /* send-message.ts: message, session and outbox row in one transaction. */
  :: atomic { written == m -> written++; status[m] = WAITING;
#ifdef SPLIT_WRITE
    add(unwritten, m) }
  :: atomic { in(unwritten, m) -> drop(unwritten, m);
#endif
    add(rows, m) }
  :: atomic { in(rows, m) && !in(sentRows, m) && !in(inFlight, m) -> offer(m) }
  /* The first yes settles an offer; a later one finds the row as it is. */
  :: atomic { in(answers, m) ->
    drop(answers, m);
    drop(inFlight, m);
    if
    :: in(rows, m) ->
      /* 5: what is called sent is on a relay's disk, or was until it expired, or is stored at the receiver */
      assert(in(onDisk | known | expired, m));
      add(sentRows, m);
      raise(m, SENT)
#ifdef DROP_ON_DEPOSIT
      ;
      removeRow(m)
#endif
    :: else
    fi }
  /* Every path failed. */
  :: atomic { in(inFlight, m) && !in(underWay, m) -> drop(inFlight, m) }
  :: atomic { in(owedDelivered, m) -> receipted(owedDelivered, m, DELIVERED) }
#ifdef READS
  :: atomic { in(owedRead, m) -> receipted(owedRead, m, READ) }
#endif
  od
}

proctype Mailbox(byte r; byte m) {
  do
  :: atomic { in(offers[r], m) ->
    drop(offers[r], m);
#ifdef NO_SYNC
    add(answers, m);
#endif
    add(unsynced[r], m) }
  /* group-commit.ts: answered when it is on disk. What waits already is not stored again, and answered all the same. */
  :: atomic { in(unsynced[r], m) ->
    drop(unsynced[r], m);
#ifndef NO_SYNC
    add(answers, m);
#endif
    add(disk[r], m) }
  /* subscriptions.ts, mailbox-receiver.ts: what is on disk is pushed, and again on a new connection. */
  :: atomic { in(disk[r], m) && !in(staged[r] | acks[r], m) ->
#ifdef ACK_BEFORE_COMMIT
    add(acks[r], m);
#endif
    add(staged[r], m) }
  /* receive-envelope.ts: acknowledged when its transaction is on disk. */
  :: atomic { in(staged[r], m) ->
    drop(staged[r], m);
#ifndef ACK_BEFORE_COMMIT
    add(acks[r], m);
#endif
    commit(m) }
  :: atomic { in(acks[r], m) ->
    assert(in(known, m) != 0); /* 6: nothing is acknowledged before it is on the receiver's disk */
    drop(acks[r], m);
    drop(disk[r], m) }
  od
}

#ifdef LINK
proctype Direct(byte m) {
  do
  :: atomic { in(offers[1], m) -> drop(offers[1], m); add(staged[1], m) }
  :: atomic { in(staged[1], m) -> drop(staged[1], m); add(answers, m); commit(m) }
  od
}
#endif

#ifdef READS
/* The person at the receiver looks. */
proctype Reader(byte m) {
  atomic { in(known, m) -> add(owedRead, m) }
}
#endif

/* When all is quiet, the time for what is due comes: taken rows are offered again, and a copy is a reason for a receipt. */
proctype Time() {
  byte m;
  do
  :: atomic { timeout && !finished ->
    rounds++;
    assert(rounds <= ROUNDS); /* 7: left alone, everything is delivered within these */
    calm = false;
    recent = 0;
#ifndef NEVER_AGAIN
    do
    :: m < MESSAGES && in(rows & ~inFlight, m) -> offer(m); m++
    :: m < MESSAGES && !in(rows & ~inFlight, m) -> m++
    :: else -> break
    od;
    m = 0
#endif
    }
  od
}

/* A connection of both ends to a mailbox breaks, with what is on it. */
inline disconnect(r) {
  offers[r] = 0;
  acks[r] = 0
}

proctype Trouble() {
  byte m;
  do
  :: atomic { !calm -> calm = true }
  :: atomic { troubles > 0 && !calm && !finished ->
    troubles--;
    rounds = 0;
    if
    /* The sender's tab dies: what is on its way may still arrive. */
    :: inFlight = 0; answers = 0
#ifdef SPLIT_WRITE
      ;
      unwritten = 0
#endif
    /* The receiver's tab dies. */
    :: staged[0] = 0; staged[1] = 0
    /* A relay loses its power; a connection breaks; a relay lets go of what waits. */
    :: unsynced[0] = 0; disconnect(0)
    :: disconnect(0)
    :: expired = expired | disk[0]; disk[0] = 0
#ifdef LINK
    :: offers[1] = 0
#else
    :: expired = expired | disk[0] | disk[1]; disk[0] = 0; disk[1] = 0
#endif
    /* Answers get lost. A receipt is lost at the sender's relay after its row is gone. */
    :: answers = 0
    :: owedDelivered = 0
#ifdef READS
      ;
      owedRead = 0
#endif
    /* Rows are offered again while others are on their way. */
    :: do
      :: m < MESSAGES && in(sentRows & ~inFlight, m) -> offer(m); m++
      :: m < MESSAGES && !in(sentRows & ~inFlight, m) -> m++
      :: else -> break
      od;
      m = 0
    fi }
  od
}

init {
  byte m;
  atomic {
    do
    :: m < MESSAGES ->
      run Sender(m);
      run Mailbox(0, m);
#ifdef LINK
      run Direct(m);
#else
      run Mailbox(1, m);
#endif
#ifdef READS
      run Reader(m);
#endif
      m++
    :: else -> break
    od;
    m = 0;
    run Time();
    run Trouble()
  }
}
