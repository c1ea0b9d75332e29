// `ctx.mail` of actions and http functions: letters in the app's own words.

/** What a function may send. */
export interface MailContext {
  /**
   * Sends one letter by keelson/mail/NAME.txt (and NAME.html) and waits until the mail server took it. At least once: an
   * attempt that is made again, as in a job, sends it again.
   * @param letter.to one plain address. @param letter.data what the template names as `{{seat}}`; texts and numbers.
   * @throws MAIL_TEMPLATE_INVALID, ARGUMENT_INVALID; MAIL_FAILED when it could not be handed over: try again later.
   * @example
   * await ctx.mail.send({ to: email, template: "ticket", data: { seat: "F7" } });
   */
  send(letter: {
    readonly to: string;
    readonly template: string;
    readonly data?: { readonly [name: string]: string | number };
  }): Promise<null>;
}
