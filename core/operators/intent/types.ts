/** As it travels: the text that was signed, byte by byte, and the signature. */
export interface SignedIntent {
  /** RFC 8785. */
  readonly intent: string;
  /** SSHSIG in base64. */
  readonly signature: string;
}
