/** The crossed box: the mark of the house, and of a choice. */

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 26 26" aria-hidden="true">
      <rect x="1.5" y="1.5" width="23" height="23" rx="4.5" />
      <path d="M7.6 7.2 18.4 18.8M18.6 7 7.4 19" />
    </svg>
  );
}
