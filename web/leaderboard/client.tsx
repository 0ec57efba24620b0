import '../style/base.css';
import './leaderboard.css';
import { startPage } from '../parts/hydrate.tsx';
import { leaderboardPage } from './page.tsx';

startPage(leaderboardPage);
