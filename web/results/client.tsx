import '../style/base.css';
import './results.css';
import { startPage } from '../parts/hydrate.tsx';
import { resultsPage } from './page.tsx';

startPage(resultsPage);
