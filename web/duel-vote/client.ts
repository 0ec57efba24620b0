/** The vote page of the contract `duel` runs no script: this names its style sheet for the build. */
import './duel-vote.css';
