export { EventNotSealedError } from './event-not-sealed-error';
export { formatReceipt, proveEvent } from './prove-event';
export { type ProvedEvent, type Receipt, verifyReceipt } from './receipt';
export { ReceiptInvalidError } from './receipt-invalid-error';
