/** How a route answers with a page. The pages themselves live one floor up. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PageName, PageProps } from '../../protocol/pages.ts';

export type PageOptions = {
  readonly status?: number;
  /** Other sites that may show the page in a frame. Default: none. */
  readonly frameAncestors?: readonly string[];
  /** The path of the picture for link previews. */
  readonly picturePath?: string;
  /** The path under which the page is known; default: the one that was asked for, without its query. */
  readonly canonicalPath?: string;
  /** Whether search engines may list it. Default: no. */
  readonly listed?: boolean;
  /** Whether it shows everybody with these properties the same, so that it need not be made for each. Default: no. */
  readonly shared?: boolean;
};

export type PageAnswers = {
  send<Name extends PageName>(
    exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply },
    name: Name,
    props: PageProps[Name],
    options?: PageOptions,
  ): FastifyReply;
  /** Where voters reach this server, as this client sees it: without a slash at the end. */
  publicUrlOf(request: FastifyRequest): string;
};
