import '../style/base.css';
import './vote.css';
import { startPage } from '../parts/hydrate.tsx';
import { votePage } from './page.tsx';

startPage(votePage);
