/**
 * `<hustings-poll poll="slug">`: a poll of this server in a page of another site. It is a frame that grows with what is in it; the
 * site must be among those that the poll's organiser has named.
 *
 * Attributes: `poll` (slug or id), `server` (default: where this script came from), `lang` (en, de), `height` in pixels until the frame has told its own.
 */

const heightAtFirst = 420;
const ownServer = new URL(import.meta.url).origin;

class HustingsPoll extends HTMLElement {
  static readonly observedAttributes = ['poll', 'server', 'lang'];
  readonly #frame = document.createElement('iframe');
  readonly #hear = (event: MessageEvent<unknown>): void => this.#takeHeight(event);

  constructor() {
    super();
    const frame = this.#frame;
    frame.title = 'Hustings';
    frame.loading = 'lazy';
    Object.assign(frame.style, { width: '100%', border: '0', display: 'block', colorScheme: 'normal' });
    this.attachShadow({ mode: 'open' }).append(frame);
  }

  connectedCallback(): void {
    this.style.display = 'block';
    this.#frame.style.height = `${Number(this.getAttribute('height')) || heightAtFirst}px`;
    globalThis.addEventListener('message', this.#hear);
    this.#show();
  }

  disconnectedCallback(): void {
    globalThis.removeEventListener('message', this.#hear);
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#show();
  }

  #show(): void {
    const poll = this.getAttribute('poll');
    if (poll === null) return;
    const url = new URL(`/embed/${encodeURIComponent(poll)}`, this.getAttribute('server') ?? ownServer);
    const language = this.getAttribute('lang');
    if (language !== null) url.searchParams.set('lang', language);
    if (this.#frame.src !== url.href) this.#frame.src = url.href;
  }

  /** Only the frame itself may say how high it is. */
  #takeHeight({ source, data }: MessageEvent<unknown>): void {
    if (source !== this.#frame.contentWindow || typeof data !== 'object' || data === null) return;
    if (!('type' in data && data.type === 'hustings-height' && 'height' in data && typeof data.height === 'number'))
      return;
    this.#frame.style.height = `${Math.ceil(data.height)}px`;
  }
}

customElements.define('hustings-poll', HustingsPoll);
