// What names of fields and tables tell about how private their content is. Words, not guesses about values:
// a field counts when a word of its name is in the list.

/** Who may see such a field: nobody but its owner, or nobody but its owner and those with a role. */
export type Sensitivity = "secret" | "personal" | null;

const secretWords = new Set(
  "password passwd passphrase secret token apikey accesskey privatekey pin otp totp recoverycode cvv cvc ssn webhooksecret credential credentials passwordhash hash salt".split(
    " ",
  ),
);
const personalWords = new Set(
  "email mail phone telephone mobile address street birthdate birthday dateofbirth dob born iban bic salary income wage passport taxid nationalid diagnosis medication bloodtype allergy allergies religion ethnicity latitude longitude lat lng geo ip ipaddress creditcard cardnumber bankaccount licenseplate".split(
    " ",
  ),
);
/** Fields of these tables named `code`, `key` or `value` are secrets: whoever knows one can use it. */
const keyTables = new Set(
  "invite invitation coupon voucher giftcard session token apikey resettoken verification accesscode secret".split(
    " ",
  ),
);
const keyFields = new Set("code key value secret token".split(" "));
/** Tables whose rows are between their owner and the house, whatever their fields are called. */
const privateTables = new Set(
  "order orderline booking reservation purchase sale invoice payment paymentmethod subscription message directmessage conversation chat inbox mail email notification address session token apikey secret credential medicalrecord patient patientrecord prescription appointment diagnosis labresult payslip salary contract wallet account transaction transfer bankaccount draft diary journal supportticket cart wishlist bookmark location login audit auditlog waiting waitinglist visit submission grade".split(
    " ",
  ),
);
/** Tables of a house's own figures: with a sum of money in them, nobody outside is to read them. */
const bookTables = new Set(
  "report statement ledger payroll turnover revenue income profit cashbook closing accounting".split(
    " ",
  ),
);
/** Tables about people who have no account of their own. */
const personTables = new Set(
  "lead subscriber subscription contact customer patient employee applicant candidate person member student guest signup newsletter waitlist".split(
    " ",
  ),
);
/** Fields that decide what somebody is or has: not for their subject to write. */
const privilegeWords = new Set(
  "role roles isadmin admin isstaff staff ismoderator permissions permission scopes plan tier credits balance verified emailverified isverified approved isapproved banned suspended quota points score trusted ispremium premium level".split(
    " ",
  ),
);
/** Numbers that must not come out of nothing, or fall below zero. */
const holdingWords = new Set(
  "balance credits stock inventory remaining available quantity onhand points funds amountleft uses usesleft seatsleft likes votes score refills allowance".split(
    " ",
  ),
);
/** Holdings of things: what is sold, and no money. */
const stockWords = new Set(
  "stock inventory remaining available quantity onhand seatsleft".split(" "),
);
/** States that somebody else's act brings about: money came, an officer said yes. */
const authorityStates = new Set(
  "paid approved verified refunded shipped delivered settled captured accepted granted confirmed fulfilled won graded published-by-staff".split(
    " ",
  ),
);
/** Who gives money for what a row says, or asks for it. */
const payerWords = new Set(
  "customer buyer client payer patient student learner guest attendee participant subscriber bidder renter passenger traveler traveller rider visitor donor borrower employee applicant candidate requester".split(
    " ",
  ),
);
/** Who gets it, or gives it. */
const sellerWords = new Set(
  "seller issuer vendor merchant host provider creator organizer organiser landlord teacher tutor doctor driver courier freelancer contractor lender supplier".split(
    " ",
  ),
);
/** What somebody owes money for, in tables whose owner is called anything. */
const purchaseTables = new Set(
  "order booking reservation purchase cart ticket enrolment enrollment registration subscription rental checkout payment".split(
    " ",
  ),
);
const priceWords = new Set("price cost fee amount total fare rate".split(" "));
const visibilityWords = new Set("visibility audience access sharing privacy shared".split(" "));
const keptInValues = new Set(
  "private org organisation organization tenant company team workspace internal members house".split(
    " ",
  ),
);
const partWords = new Set(
  "line item entry row position detail note comment message reply answer attachment file document payment".split(
    " ",
  ),
);
/** Arguments that are guessed: short secrets. */
const guessedWords = new Set(
  "code pin otp password token coupon voucher invite passcode secret".split(" "),
);

/** @param table the table of the field. */
export function fieldSensitivity(table: string, field: string): Sensitivity {
  const whole = field.toLowerCase();
  if (secretWords.has(whole) || wordsOf(field).some((word) => secretWords.has(word))) {
    return "secret";
  }
  if (keyTables.has(table.toLowerCase()) && keyFields.has(whole)) return "secret";
  if (personalWords.has(whole) || wordsOf(field).some((word) => personalWords.has(word))) {
    return "personal";
  }
  return null;
}

/** Whether rows of a table so named are nobody else's business. */
export function isPrivateTable(table: string): boolean {
  return privateTables.has(table.toLowerCase());
}

/** Whether a table so named holds the house's own figures. */
export function isBookTable(table: string): boolean {
  return wordsOf(table).some((word) => bookTables.has(word));
}

/** Whether rows of a table so named are about people, also without a reference to a user. */
export function isPersonTable(table: string): boolean {
  return personTables.has(table.toLowerCase());
}

/** Whether a field so named says what its subject may or has. */
export function isPrivilegeName(field: string): boolean {
  return privilegeWords.has(field.toLowerCase());
}

/** Whether a number so named is a holding: it never falls below zero and is not made of nothing. */
export function isHoldingName(field: string): boolean {
  const words = wordsOf(field);
  return holdingWords.has(field.toLowerCase()) || words.some((word) => holdingWords.has(word));
}

/** Whether a number so named counts things that are there to be taken. */
export function isStockName(field: string): boolean {
  return wordsOf(field).some((word) => stockWords.has(word));
}

/** Whether a state or flag so named is for somebody else to set. */
export function isAuthorityState(name: string): boolean {
  return authorityStates.has(name.toLowerCase().replace(/^is/, ""));
}

/** Whether a reference to a user so named leads to who pays or asks. */
export function isPayerName(field: string): boolean {
  return wordsOf(field).some((word) => payerWords.has(word));
}

/** Whether a reference to a user so named leads to who is paid. */
export function isSellerName(field: string): boolean {
  return wordsOf(field).some((word) => sellerWords.has(word));
}

/** Whether rows of a table so named are to be paid for by whom they belong to. */
export function isPurchaseTable(table: string): boolean {
  return wordsOf(table).some((word) => purchaseTables.has(word));
}

/** Whether a number so named is a price. */
export function isPriceName(field: string): boolean {
  return wordsOf(field).some((word) => priceWords.has(word));
}

/** Whether a field so named says who may see its row. */
export function isVisibilityName(field: string): boolean {
  return wordsOf(field).some((word) => visibilityWords.has(word));
}

/** Whether a row of this visibility is not for everybody. */
export function isKeptInValue(value: string): boolean {
  return keptInValues.has(value.toLowerCase());
}

/** Whether rows of a table are parts of another's, by their names: `orderLine` of `order`. */
export function isPartName(table: string, whole: string): boolean {
  if (!table.startsWith(whole)) return false;
  return partWords.has(table.slice(whole.length).toLowerCase().replace(/s$/, ""));
}

/** Whether an argument so named is a secret that can be guessed. */
export function isGuessedName(name: string): boolean {
  return wordsOf(name).some((word) => guessedWords.has(word));
}

/** `passwordHash` gives password, hash, and every two neighbours as one word. */
function wordsOf(name: string): readonly string[] {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[\s_]+/);
  const pairs = words.slice(1).map((word, index) => `${words[index]}${word}`);
  return [...words, ...pairs];
}
