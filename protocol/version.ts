/** The version of the shapes in this folder. It grows when a client of the older one could misread the newer one. */
export const PROTOCOL_VERSION = 1;
